//! Promises of a node that needs no stored secret: a cloud's token at the metadata service's real address, in a network
//! namespace of each test's own. What is refused, unavailable or unintelligible is told apart, each by a file of
//! `tests/fixtures/cloud-token`; such a token proves the agent, never the job, and counts only where no job can get one.

use std::path::Path;
use std::process::{Command, Stdio};

use longhorn::host::clock::{Clock, SystemClock};
use longhorn::identity::GotWith;
use longhorn::identity::job::SpeaksFor;
use simulator::Simulator;
use simulator::login::ACCOUNT;
use simulator::scenario::Scenario;
use simulator::sts::{REGION, SECRET_KEY, SESSION_TOKEN};
use stage::{Stage, text};
use support::cloud::{AZURE, Case, GCP, NODE_KEY, ROLES, link};
use support::fixtures;

#[path = "support/mod.rs"]
mod stage;

mod support {
    #[path = "../support/cloud.rs"]
    pub mod cloud;
    #[path = "../support/fixtures.rs"]
    pub mod fixtures;
}

fn simulator() -> Simulator {
    simulator::start(Scenario::honest()).expect("the simulator starts")
}

#[test]
fn every_clouds_token_that_is_refused_or_not_to_be_had_is_told_apart() {
    let Some(imds) = link() else { return };
    let simulator = simulator();
    fixtures::check("cloud-token", |file, bytes| {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{file} is not text"));
        match Case::read(text).walk(&simulator, &imds) {
            Ok(_) => ("granted".into(), String::new()),
            Err(screen) => {
                let shown = fixtures::steady(&screen.to_string(), simulator.url(), "");
                let secrets = ["hunter2-secret", "eyJ", SECRET_KEY, SESSION_TOKEN, "resource=", "audience="];
                assert!(!secrets.iter().any(|secret| shown.contains(secret)), "{file} shows too much:\n{shown}");
                (format!("{}, exit {}", screen.reason, screen.exit.code()), shown)
            }
        }
    });
}

#[test]
fn each_cloud_is_asked_in_its_own_way_for_what_settings_and_policy_say() {
    let Some(imds) = link() else { return };
    let simulator = simulator();
    let asked = |case: &Case| {
        assert!(case.walk(&simulator, &imds).is_ok(), "{case:?}");
        imds.asked()
    };
    let azure = format!("GET {AZURE}?api-version=2018-02-01&resource=api%3A%2F%2Flonghorn");
    assert_eq!(asked(&Case::of("azure", false)), [azure]);
    let gcp = |audience: &str| [format!("GET {GCP}?audience={audience}&format=full&licenses=FALSE")];
    assert_eq!(asked(&Case::of("gcp", false)), gcp(ACCOUNT));
    assert_eq!(asked(&Case::of("gcp", true)), gcp("longhorn"));
    let bound = Case { node_key: Some("audience".into()), ..Case::of("gcp", true) };
    assert_eq!(asked(&bound), gcp(&format!("longhorn%2F{NODE_KEY}")));
    let aws = ["PUT /latest/api/token".to_owned(), format!("GET {ROLES}"), format!("GET {ROLES}agent")];
    let region = "GET /latest/meta-data/placement/region".to_owned();
    assert_eq!(asked(&Case::of("aws", false)), [&aws[..], &[region]].concat());
    assert_eq!(asked(&Case { settings: format!(", region = \"{REGION}\""), ..Case::of("aws", false) }), aws);
}

#[test]
fn a_clouds_token_proves_the_agent_and_never_the_job_whomever_it_names() {
    let Some(imds) = link() else { return };
    let simulator = simulator();
    for cloud in ["azure", "gcp", "aws"] {
        let mut case = Case::of(cloud, true);
        // The very principal that the job runs as.
        case.claims.insert("sub".into(), simulator::scenario::PRINCIPAL.into());
        let identity = case.walk(&simulator, &imds).unwrap_or_else(|screen| panic!("{cloud}: {screen}"));
        let found: Vec<_> =
            identity.proofs.iter().map(|line| (line.kind.as_str(), line.speaks_for, line.basis.got_with)).collect();
        let expected = [("databricks", SpeaksFor::Job, GotWith::Given), ("oidc:cloud", SpeaksFor::Agent, GotWith::CloudToken)];
        assert_eq!(found, expected, "{cloud}");
        let exchanged = Case::of(cloud, false).walk(&simulator, &imds).unwrap_or_else(|screen| panic!("{cloud}: {screen}"));
        assert_eq!(exchanged.proofs[0].basis.got_with, GotWith::CloudToken, "{cloud}: what the workspace says was asked with it");
    }
}

#[test]
fn amazons_token_is_kept_while_it_is_fresh_and_dropped_when_the_workspace_refuses_it() {
    let Some(imds) = link() else { return };
    let simulator = simulator();
    let case = Case::of("aws", true);
    assert!(case.walk(&simulator, &imds).is_ok());
    let sources = case.sources(&simulator);
    let asked = || simulator.requests().get("/").copied().unwrap_or_default();
    let before = asked();
    for _ in 0..3 {
        assert!(case.walk_from(&simulator, &sources).is_ok());
    }
    assert_eq!(asked(), before + 1, "STS is asked once");
    let case = Case::of("aws", false);
    let sources = case.sources(&simulator);
    simulator.edit(|scenario| scenario.sts_claims = serde_json::json!({ "sub": "another" }));
    let before = asked();
    for _ in 0..2 {
        let refused = case.walk_from(&simulator, &sources).map(drop).map_err(|screen| screen.reason.into_owned());
        assert_eq!(refused, Err("workspace-credential-refused".to_owned()));
    }
    assert_eq!(asked(), before + 2, "each exchange begins with another token");
}

/// Runs `tests/suites/sdk/cloud.py` in this thread's network.
#[test]
fn the_official_clients_accept_the_simulated_metadata_services_and_sts() {
    let Some(imds) = link() else { return };
    let simulator = simulator();
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = tree.join("target/sdk-cloud/bin/python");
    assert!(python.is_file(), "no clients of the clouds in target/sdk-cloud: `cargo xtask test` installs them");
    imds.hold(Case::of("azure", false).held(&simulator));
    let output = Command::new(&python)
        .arg("-B")
        .arg(tree.join("tests/suites/sdk/cloud.py"))
        .args([simulator.url(), ACCOUNT])
        .env_clear()
        .env("HOME", tree.join("target/sdk-cloud"))
        // There are no names in this network.
        .env("GCE_METADATA_HOST", "169.254.169.254")
        .stdin(Stdio::null())
        .output()
        .expect("python starts");
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    for step in ["azure", "azure-user-assigned", "azure-not-found", "gcp", "aws", "aws-tags", "aws-another-key", "sigv4"] {
        assert!(said.contains(&format!("ok {step}\n")), "{step}: {said}");
    }
}

/// A bundle without any secret: the workspace is asked with Azure's token, and no other proof is required.
fn without_a_secret(stage: &Stage, service: &str, change: impl Fn(String) -> String) {
    for name in ["workspace", "token"] {
        std::fs::remove_file(stage.share.join("secrets").join(name)).or_else(gone).expect("it can be removed");
    }
    let said = format!("[environments.python-ml.kernel]\nmetadata-service = \"{service}\"\n");
    stage.bundle(|document| {
        change(match document.contains("[trust]") {
            true => document
                .replace("[\"databricks\", \"oidc:okta\"]", "[\"databricks\"]")
                .replace("[\"okta:ml-engineers\"]", "[\"databricks:ml-eng\"]")
                .replace("[environments.python-ml.kernel]\n", &said)
                .replace("landlock = 3", "landlock = 4"),
            false => {
                let (head, _) = document.split_once("[[oidc]]").expect("there is a token");
                let secret = "{ kind = \"m2m\", client-id = \"agent\", secret = { kind = \"file\", path = \"/mnt/host/secrets/workspace\" } }";
                let cloud = "{ kind = \"token-exchange\", client-id = \"agent\", subject-token = { kind = \"azure-imds\", resource = \"api://longhorn\" } }";
                assert!(head.contains(secret), "{head}");
                head.replace(secret, cloud)
            }
        })
    });
}

fn gone(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[test]
fn a_node_starts_and_renews_without_any_stored_secret_where_jobs_cannot_ask_the_metadata_service() {
    let Some(imds) = link() else { return };
    let stage = Stage::new("no-secret");
    without_a_secret(&stage, "closed", |document| document);
    imds.hold(Case::of("azure", false).held(&stage.workspace));
    let output = stage.node("no_secret.sh");
    assert!(output.status.success(), "{}", text(&output));
    assert!(imds.asked().iter().all(|asked| asked.starts_with(&format!("GET {AZURE}?"))), "{:?}", imds.asked());
}

/// A second scope, for another job, whose environment is closed: that the first is not is then for the decision to say.
fn beside_a_closed_one(document: String) -> String {
    let Some(at) = document.find("[environments.python-ml]") else { return document };
    let (head, environment) = document.split_at(at);
    let closed = environment.replace("python-ml", "closed").replace("\"open\"", "\"closed\"");
    let scope =
        "[scopes.other]\njobs = { ids = [\"2\"] }\nrun-by = [\"ml-engineer\"]\nmay = [\"run\"]\nenvironment = \"closed\"\n";
    format!("{head}{scope}{environment}\n{closed}")
}

#[test]
fn a_node_whose_agent_is_known_by_a_clouds_token_alone_is_refused_where_jobs_could_get_the_same() {
    let Some(imds) = link() else { return };
    let stage = Stage::new("no-secret-open");
    imds.hold(Case::of("azure", false).held(&stage.workspace));
    for (change, recorded) in [((|document| document) as fn(String) -> String, false), (beside_a_closed_one, true)] {
        without_a_secret(&stage, "open", change);
        let output = stage.node("refused.sh");
        let shown = text(&output);
        assert_eq!(output.status.code(), Some(80), "{shown}");
        assert!(shown.contains("reason: imds-open-to-user-code"), "{shown}");
        // What settings and policy say together is seen before anything is asked; what one scope says is a decision on record.
        assert_eq!((shown.contains("record: entry"), imds.asked().is_empty()), (recorded, !recorded), "{shown}");
    }
}

#[test]
fn a_node_that_observes_says_that_enforcing_would_refuse_a_clouds_token() {
    let Some(imds) = link() else { return };
    let stage = Stage::new("no-secret-observed");
    without_a_secret(&stage, "open", |document| document.replace("\"enforce\"", "\"observe\""));
    imds.hold(Case::of("azure", false).held(&stage.workspace));
    let output = stage.node("no_secret_observed.sh");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_service_that_is_busy_is_asked_until_the_deadline_and_one_that_is_silent_three_times() {
    let Some(imds) = link() else { return };
    let simulator = simulator();
    let ends = |case: &Case| {
        let began = SystemClock.boot();
        let reason = case.walk(&simulator, &imds).map(drop).map_err(|screen| screen.reason.into_owned());
        (reason, imds.asked().len(), (SystemClock.boot().0 - began.0) / 1_000_000_000)
    };
    // Pauses of 0.2, 0.4, 0.8 and 1.6 s.
    let (reason, asked, took) = ends(&Case { failing: Some((429, 4)), ..Case::of("azure", false) });
    assert_eq!((reason, asked, took), (Ok(()), 5, 3));
    let (reason, asked, took) = ends(&Case { failing: Some((429, 100)), patience: Some(2), ..Case::of("azure", false) });
    assert_eq!((reason, asked), (Err("metadata-unavailable".to_owned()), 4));
    assert!(took <= 2, "{took}");
}
