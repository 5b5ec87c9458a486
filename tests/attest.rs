//! Promises of evidence and identity, against a workspace and an issuer on loopback: what is false is refused by name, what
//! cannot be told is a failure, and neither is a yes. Each false token, key set and answer is a file of `tests/fixtures`.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longhorn::host::clock::{BootTime, Clock, SystemClock, Timestamp};
use longhorn::identity::client_assertion::{AssertionAlgorithm, AssertionAudience, AssertionRule, KeyName};
use longhorn::identity::job::{JobIdentity, Membership, PrincipalKind, SpeaksFor, Workload};
use simulator::Simulator;
use simulator::entra::{GROUP_ID, TENANT};
use simulator::faults::Fault;
use simulator::scenario::{CLUSTER, PRINCIPAL, RUN, Scenario};
use support::evidence::Case;
use support::fixtures;
use way::{Stop, Way};

#[path = "attest/agreement.rs"]
mod agreement;
#[path = "attest/rfc8725.rs"]
mod rfc8725;
#[path = "support/way.rs"]
mod way;

mod support {
    #[path = "../support/evidence.rs"]
    pub mod evidence;
    #[path = "../support/fixtures.rs"]
    pub mod fixtures;
}

fn simulator() -> Simulator {
    simulator::start(Scenario::honest()).expect("the simulator starts")
}

fn attest(case: &str) -> Result<JobIdentity, Stop> {
    Case::read(case).walk(&simulator(), |way| way.walk())
}

/// Every case of a folder.
fn holds(folder: &str) {
    let simulator = simulator();
    let port = simulator.url().rsplit(':').next().expect("a port");
    fixtures::check(folder, |file, bytes| {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{file} is not text"));
        match Case::read(&text.replace("@URL@", simulator.url()).replace("@PORT@", port)).walk(&simulator, |way| way.walk()) {
            Ok(_) => ("granted".into(), String::new()),
            Err(stop) => {
                let screen = stop.screen();
                let shown = fixtures::steady(&screen.to_string(), simulator.url(), "");
                let shown = shown.replace(&format!("localhost:{port}"), "localhost:PORT");
                (format!("{}, exit {}", screen.reason, screen.exit.code()), shown)
            }
        }
    });
}

#[test]
fn every_false_token_is_refused_for_its_own_reason() {
    holds("token");
}

#[test]
fn every_false_answer_of_the_issuer_is_refused_or_a_failure_for_its_own_reason() {
    holds("issuer");
}

#[test]
fn every_false_answer_of_the_workspace_is_refused_or_a_failure_for_its_own_reason() {
    holds("workspace");
}

#[test]
fn an_honest_job_is_who_the_workspace_and_the_issuer_say_it_is() {
    let Ok(identity) = attest("") else { panic!("an honest job is refused") };
    assert_eq!(
        (identity.cluster.as_str(), identity.principal.name.as_str(), identity.principal.kind),
        (CLUSTER, PRINCIPAL, PrincipalKind::ServicePrincipal)
    );
    let groups: Vec<&str> = identity.groups.iter().map(|group| group.as_str()).collect();
    assert_eq!(groups, ["databricks:ml-eng", "okta:ml-engineers"]);
    assert!(identity.proofs.iter().all(|proof| proof.speaks_for == SpeaksFor::Job) && identity.membership == Membership::Listed);
}

#[test]
fn a_token_of_the_agents_own_client_proves_the_agent_and_gives_the_job_no_group() {
    let agents = "[token.claims]\nsub = \"agent-app\"\nclient_id = \"agent-app\"\n";
    let Ok(identity) = attest(agents) else { panic!("an agent's token is refused") };
    assert_eq!(identity.proofs[1].speaks_for, SpeaksFor::Agent);
    assert!(identity.groups.iter().all(|group| group.as_str().starts_with("databricks:")));
}

/// An honest token of a provider with more groups than fit, and with the pointer that real ones have.
fn overage(provider: &str, simulator: &Simulator) -> Case {
    let url = simulator.url();
    let text = format!(
        r#"
        trust = {{ provider = "{provider}", graph = true }}
        [token]
        without = ["groups"]
        [token.claims]
        hasgroups = true
        _claim_names = {{ groups = "src1" }}
        _claim_sources = {{ src1 = {{ endpoint = "{url}/pointer" }} }}
        "#
    );
    Case::read(&text)
}

const GRAPH: &str = "/v1.0/users/6467882c-fdfd-4354-a1ed-4e13f064be25/getMemberObjects";

#[test]
fn groups_that_did_not_fit_are_asked_for_at_graph_by_id_and_the_tokens_pointer_is_never_followed() {
    for provider in ["entra-v1", "entra-v2"] {
        let simulator = simulator();
        let walked = overage(provider, &simulator).walk(&simulator, |way| way.walk());
        let Ok(identity) = walked else { panic!("{provider} is refused") };
        let groups: Vec<&str> = identity.groups.iter().map(|group| group.as_str()).collect();
        assert_eq!(groups, ["databricks:ml-eng".to_owned(), format!("okta:{GROUP_ID}")], "{provider}");
        let asked = simulator.requests();
        assert_eq!((asked.get(GRAPH), asked.keys().any(|path| path.contains("pointer"))), (Some(&1), false), "{provider}");
    }
}

#[test]
fn a_token_for_graph_is_kept_and_groups_are_asked_for_each_time() {
    let (simulator, clock) = (simulator(), Later(AtomicU64::new(0)));
    let login = format!("/{TENANT}/oauth2/v2.0/token");
    let asked = overage("entra-v2", &simulator).walk(&simulator, |way| {
        let sources = way.sources();
        let walk = |fault: Option<Fault>| {
            clock.by(MINUTE);
            fault.into_iter().for_each(|fault| simulator.fault(fault));
            let ended = way::reason(way.walk_again(&sources, &clock));
            (ended, simulator.requests()[GRAPH], simulator.requests()[&login])
        };
        // Taken back before its end: replaced once. Deleted: said by Graph, so heard at once. Down: nothing is known.
        let graph = |status, body: Option<&str>, times| {
            Some(Fault { path: "/v1.0".into(), status: Some(status), body: body.map(str::to_owned), times, ..Fault::default() })
        };
        let gone = r#"{"error":{"code":"Request_ResourceNotFound"}}"#;
        [walk(None), walk(None), walk(graph(401, None, 1)), walk(graph(404, Some(gone), 1)), walk(graph(418, None, 1))]
    });
    let row = |ended: &str, graph, logins| (ended.to_owned(), graph, logins);
    let expected = [
        row("granted", 1, 1),
        row("granted", 2, 1),
        row("granted", 4, 2),
        row("not-in-directory", 5, 2),
        row("graph-unintelligible", 6, 2),
    ];
    assert_eq!(asked, expected);
}

#[test]
fn each_try_at_a_token_endpoint_has_an_assertion_of_its_own() {
    let simulator = simulator();
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let der = key.to_pkcs8v1().expect("a key has a form");
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
    let rule = AssertionRule {
        algorithm: AssertionAlgorithm::ES256,
        name: KeyName::Id("agent-1".into()),
        audience: AssertionAudience::TokenEndpoint,
    };
    let mut case = overage("entra-v2", &simulator);
    let path = format!("/{TENANT}/oauth2/v2.0/token");
    case.fault.push(Fault { path, status: Some(503), retry_after: Some("0".into()), times: 2, ..Fault::default() });
    case.patience = Some(5);
    assert_eq!(case.walk(&simulator, |way| Way { key: Some((pem.as_str(), rule.clone())), ..way.clone() }.reason()), "granted");
    let shown = simulator.assertions();
    assert_eq!((shown.len(), shown.iter().collect::<BTreeSet<_>>().len()), (3, 3));
}

#[test]
fn a_node_that_is_not_listed_yet_is_provisional_where_the_settings_say_so() {
    let Ok(identity) = attest("node = { address = \"127.0.0.9\", worker = true, late = true }") else {
        panic!("a late node is refused")
    };
    assert_eq!(identity.membership, Membership::Provisional);
}

#[test]
fn an_all_purpose_cluster_is_the_one_principal_that_it_is_dedicated_to() {
    let notebooks = r#"
        node = { name = "notebooks" }
        set = { "/clusters/1001-234039-abcde739/cluster_source" = "UI" }
    "#;
    let Ok(identity) = attest(notebooks) else { panic!("a dedicated cluster is refused") };
    assert_eq!((identity.workload, identity.principal.name.as_str()), (Workload::Interactive, PRINCIPAL));
}

#[test]
fn the_task_of_a_run_is_found_on_whatever_page_it_stands() {
    let simulator = simulator();
    let others = |count: usize| {
        let task = "{ task_key = \"other\", cluster_instance = { cluster_id = \"1001-000000-aaaaaaaa\" } }";
        let ours = format!("{{ task_key = \"main\", cluster_instance = {{ cluster_id = \"{CLUSTER}\" }} }}");
        let tasks = [vec![task; count], vec![&ours]].concat().join(", ");
        Case::read(&format!("set = {{ \"/runs/{RUN}/tasks\" = [{tasks}] }}"))
    };
    let mut asked = 0;
    for (count, pages) in [(0, 1), (99, 1), (100, 2), (250, 3)] {
        assert_eq!(others(count).walk(&simulator, |way| way.reason()), "granted", "behind {count} others");
        asked += pages;
        assert_eq!(simulator.requests()["/api/2.2/jobs/runs/get"], asked, "behind {count} others");
    }
}

#[test]
fn retry_after_is_honoured_and_passing_faults_pass() {
    let simulator = simulator();
    let mut case = Case::read(
        r#"
        [[fault]]
        path = "/api/2.1/clusters"
        status = 429
        retry_after = "1"
        times = 1
        [[fault]]
        path = "/api/2.2/jobs"
        status = 503
        retry_after = "0"
        times = 2
        "#,
    );
    case.patience = Some(5);
    let began = SystemClock.boot();
    assert_eq!(case.walk(&simulator, |way| way.reason()), "granted");
    assert!(SystemClock.boot().0 - began.0 >= 1_000_000_000, "it waited as it was asked");
    assert_eq!(simulator.requests()["/api/2.1/clusters/get"], 2);
}

const PRINCIPALS: &str = "/api/2.0/preview/scim/v2/ServicePrincipals";
const CLUSTERS: &str = "/api/2.1/clusters/get";
const JOBS: &str = "/api/2.2/jobs/get";
const RUNS: &str = "/api/2.2/jobs/runs/get";

#[test]
fn a_worker_asks_the_workspace_three_things_the_driver_and_whoever_needs_the_job_a_fourth_and_each_thing_once() {
    let of_the_issuer = ["/.well-known/openid-configuration", KEYS, LOGIN];
    for (node, of_the_workspace) in [
        ("", &[PRINCIPALS, CLUSTERS, JOBS, RUNS][..]),
        ("by_id = true", &[PRINCIPALS, CLUSTERS, JOBS, RUNS]),
        ("worker = true\naddress = \"127.0.0.2\"", &[PRINCIPALS, CLUSTERS, JOBS, RUNS]),
        ("worker = true\naddress = \"127.0.0.2\"\nby_id = true", &[PRINCIPALS, CLUSTERS, RUNS]),
    ] {
        let simulator = simulator();
        assert_eq!(Case::read(&format!("[node]\n{node}\n")).walk(&simulator, |way| way.reason()), "granted", "{node}");
        let mut expected: Vec<&str> = [of_the_workspace, &of_the_issuer].concat();
        expected.sort_unstable();
        let asked = simulator.requests();
        let told: Vec<(&str, u32)> = asked.iter().map(|(path, times)| (path.as_str(), *times)).collect();
        assert_eq!(told, expected.into_iter().map(|path| (path, 1)).collect::<Vec<_>>(), "{node}");
    }
}

#[test]
fn a_worker_that_does_not_ask_for_the_job_is_of_its_run_and_as_whom_the_cluster_is_dedicated_to() {
    let worker = |more: &str| format!("{more}\n[node]\nworker = true\naddress = \"127.0.0.2\"\nby_id = true\n");
    let identity = attest(&worker("")).unwrap_or_else(|_| panic!("it is granted"));
    assert_eq!(identity.principal.name.as_str(), PRINCIPAL);
    assert!(matches!(&identity.workload, Workload::Job { run, name, .. } if run.as_str() == RUN && name.is_empty()));
    // Of a cluster that is dedicated to nobody only the job says as whom it runs: it is asked for, and held against that.
    let simulator = simulator();
    let shared = worker(&format!("[set]\n\"/clusters/{CLUSTER}/single_user_name\" = \"\"\n"));
    assert_eq!(Case::read(&shared).walk(&simulator, |way| way.reason()), "run-as-mismatch");
    assert_eq!(simulator.requests()[JOBS], 1);
}

#[test]
fn a_node_key_is_published_once_and_a_second_time_only_as_the_very_same_bytes() {
    let simulator = simulator();
    let publish = |bytes: &[u8]| Case::read("").walk(&simulator, |way| way.publish("/Volumes/a/b/c/key.jwk", bytes));
    assert!(publish(b"ours").is_ok());
    // The answer to the first may be lost on its way: it is then sent again.
    assert!(publish(b"ours").is_ok());
    let other = publish(b"theirs").expect_err("nobody publishes over a key");
    assert_eq!((other.reason(), other.screen().exit.code()), ("workspace-unintelligible", 76));
}

/// A clock that is ahead of the machine's, counted from boot.
struct Later(AtomicU64);

impl Later {
    fn by(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_nanos()).expect("a few hours"), Ordering::Relaxed);
    }
}

impl Clock for Later {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn boot(&self) -> BootTime {
        BootTime(SystemClock.boot().0 + self.0.load(Ordering::Relaxed))
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const KEYS: &str = "/keys";
const LOGIN: &str = "/oidc/v1/token";

/// Walks of one sidecar, each after some time; how each ended, and how often the two paths were asked for by then.
fn renewals(simulator: &Simulator, case: &str, walks: &[(Duration, &dyn Fn())]) -> Vec<(String, u32, u32)> {
    let clock = Later(AtomicU64::new(0));
    Case::read(case).walk(simulator, |way| {
        let sources = way.sources();
        let walk = |(pause, before): &(Duration, &dyn Fn())| {
            clock.by(*pause);
            before();
            let ended = way::reason(way.walk_again(&sources, &clock));
            let asked = |path: &str| simulator.requests().get(path).copied().unwrap_or_default();
            (ended, asked(KEYS), asked(LOGIN))
        };
        walks.iter().map(walk).collect()
    })
}

#[test]
fn a_renewal_asks_for_no_key_and_no_token_that_is_still_good() {
    let simulator = simulator();
    let nothing: &dyn Fn() = &|| ();
    let after = |minutes: u32| (MINUTE * minutes, nothing);
    let found = renewals(&simulator, "", &[after(0), after(1), after(3), after(2), after(44)]);
    let granted = |keys, logins| ("granted".to_owned(), keys, logins);
    // Five minutes for keys whose issuer says nothing of it; four fifths of an hour for the token.
    assert_eq!(found, [granted(1, 1), granted(1, 1), granted(1, 1), granted(2, 1), granted(3, 2)]);
}

#[test]
fn tokens_with_unknown_keys_have_the_issuer_asked_at_most_once_a_minute() {
    let simulator = simulator();
    let nothing: &dyn Fn() = &|| ();
    let walks = vec![(MINUTE / 6, nothing); 13];
    let found = renewals(&simulator, "[token.header]\nkid = \"attacker\"\n", &walks);
    assert!(found.iter().all(|(ended, ..)| ended == "key-unknown"), "{found:?}");
    assert_eq!(found.iter().map(|(_, keys, _)| *keys).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3]);
}

#[test]
fn an_issuer_that_is_down_costs_no_identity_for_hours_and_one_that_withdrew_a_key_costs_it_at_once() {
    let simulator = simulator();
    let fault = |fault: Fault| {
        simulator.mend();
        simulator.fault(Fault { path: KEYS.into(), ..fault });
    };
    let down: &dyn Fn() = &|| fault(Fault { status: Some(503), retry_after: Some("600".into()), ..Fault::default() });
    let withdrawn: &dyn Fn() = &|| fault(Fault { body: Some(r#"{"keys":[]}"#.into()), ..Fault::default() });
    let honest: &dyn Fn() = &|| simulator.mend();
    let walks = [
        (Duration::ZERO, honest),
        (MINUTE * 6, down),
        (MINUTE * 300, down),
        (MINUTE * 60, down),
        (MINUTE, honest),
        (MINUTE * 6, withdrawn),
    ];
    let found: Vec<String> = renewals(&simulator, "", &walks).into_iter().map(|(ended, ..)| ended).collect();
    assert_eq!(found, ["granted", "granted", "granted", "issuer-unavailable", "granted", "key-unknown"]);
    // Of a key that is new nothing is known while the issuer is down: that is no refusal.
    let rotated = "[token.header]\nkid = \"next\"\n";
    let found = renewals(&simulator, rotated, &[(Duration::ZERO, honest), (MINUTE * 2, down), (MINUTE / 6, down)]);
    let ended: Vec<&str> = found.iter().map(|(ended, ..)| ended.as_str()).collect();
    assert_eq!(ended, ["key-unknown", "issuer-unavailable", "issuer-unavailable"]);
}

#[test]
fn a_token_of_the_workspaces_that_was_taken_back_early_is_replaced_once() {
    let simulator = simulator();
    let revoked: &dyn Fn() = &|| {
        simulator.fault(Fault { path: "/api/2.1/clusters".into(), status: Some(401), times: 1, ..Fault::default() });
    };
    let nothing: &dyn Fn() = &|| ();
    let found = renewals(&simulator, "", &[(Duration::ZERO, nothing), (MINUTE, revoked)]);
    assert_eq!(found, [("granted".to_owned(), 1, 1), ("granted".to_owned(), 1, 2)]);
    // Where the credential itself is refused, that is said.
    let found = renewals(&simulator, "secret = \"another\"", &[(Duration::ZERO, nothing)]);
    assert_eq!(found[0].0, "workspace-credential-refused");
}

#[test]
fn an_agent_without_a_secret_exchanges_a_token_about_itself_for_one_of_the_workspaces() {
    let simulator = simulator();
    let with = |claims: &str| {
        let account = "00000000-0000-0000-0000-000000000000";
        Case::read(&format!("[subject.claims]\naud = \"{account}\"\nsub = \"agent-workload\"\n{claims}"))
            .walk(&simulator, |way| way.reason())
    };
    assert_eq!(with(""), "granted");
    assert_eq!(simulator.requests()[LOGIN], 1);
    assert_eq!(with("exp = \"now-60\""), "workspace-credential-refused");
    let another = Case::read("[subject.claims]\nsub = \"another\"\n").walk(&simulator, |way| way.reason());
    assert_eq!(another, "workspace-credential-refused");
}
