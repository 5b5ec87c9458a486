//! What is allowed: the same policy, identity and time give the same answer, whatever the order of writing; what nobody
//! said is never a yes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longhorn::config::read_policy;
use longhorn::decision::policy::{ClusterSelector, JobSelector, Permission, Policy, Role, Scope};
use longhorn::decision::{Evaluated, Refusal, Trace, decide, evaluate};
use longhorn::evidence::{Answered, Claim, DatabricksClaim, Hints};
use longhorn::host::clock::Timestamp;
use longhorn::identity::ids::{
    ClusterId, ComputePolicyId, GroupName, JobId, LocalName, NodeAddress, PrincipalName, RunId, WorkspaceHost,
};
use longhorn::identity::job::{JobIdentity, Membership, NodeRole, Principal, PrincipalKind, ProofLine, SpeaksFor, Workload};
use longhorn::identity::node_document::Occasion;
use longhorn::identity::{Basis, GotWith, Rules, agree, verify};
use longhorn::unverified::Unverified;

#[path = "decide/any.rs"]
mod any;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn local(name: &str) -> LocalName {
    LocalName::try_from(name).expect("a name")
}

fn group(name: &str) -> GroupName {
    GroupName::try_from(name).expect("a group")
}

/// The policy that most tests begin with: as a document, so that its parts can be shuffled and changed.
const HEAD: &str = r#"
schema = 1
serial = 7
not-after = 2030-01-01T00:00:00Z
workspaces = ["https://dbc-1.example.com", "https://dbc-2.example.com"]
enforcement = "enforce"
"#;

/// Tables whose order must not matter; `§` stands between the items of a list.
const TABLES: &[&str] = &[
    "[trust]\nrequire = [\"databricks\"§\"oidc:okta\"]\n",
    "[roles.engineer]\ngroups = [\"okta:engineers\"§\"databricks:eng\"]\n",
    "[roles.lead]\ngroups = [\"okta:leads\"§\"okta:engineers\"]\n",
    "[roles.contractor]\ngroups = [\"okta:contractors\"]\n",
    "[scopes.training]\njobs = { ids = [\"1\"§\"2\"§\"3\"] }\nrun-by = [\"engineer\"§\"lead\"]\ndeny = [\"contractor\"]\nmay = [\"run\"§\"model.read\"]\nenvironment = \"python\"\nclearance = [\"pii\"]\n",
    "[scopes.report]\njobs = { run-as = [\"sp-1\"§\"sp-9\"], names = [\"report\"§\"summary\"], tags = { team = \"risk\" } }\nrun-by = [\"lead\"]\nmay = [\"lineage.read\"§\"run\"]\nenvironment = \"python\"\n",
    "[scopes.locked]\njobs = { locked = true, run-as = [\"sp-1\"§\"sp-2\"] }\nrun-by = [\"engineer\"]\nmay = [\"run\"]\nenvironment = \"python\"\n",
    "[scopes.silent]\njobs = { ids = [\"9\"] }\nrun-by = [\"engineer\"]\nmay = [\"model.read\"]\nenvironment = \"python\"\n",
    "[scopes.notebook]\nclusters = { policy-ids = [\"ABC\"§\"DEF\"] }\nrun-by = [\"engineer\"§\"lead\"]\nmay = [\"run\"]\nenvironment = \"python\"\n",
    "[environments.python]\npreset = \"linux\"\ntargets = { root = [\"/usr/bin/java\"§\"/usr/bin/python3\"] }\n",
];

/// `[[trust.oidc]]` must stand behind `[trust]` in TOML only if that is written as a header; it may come before.
const ISSUER: &str = "[[trust.oidc]]\nname = \"okta\"\nissuer = \"https://okta.example.com\"\njwks-hosts = [\"okta.example.com\"]\naudience = \"longhorn\"\nalgorithms = [\"RS256\"§\"ES256\"]\ntypes = [\"jwt\"]\ngroups = \"groups\"\nsubject = { claim = \"sub\", equals = \"databricks.application-id\" }\n";

fn parsed(text: &str) -> Policy {
    match read_policy("policy.toml", &text.replace('§', ", ")) {
        Ok((policy, _)) => policy,
        Err(problems) => panic!("{problems}\n{text}"),
    }
}

fn policy() -> Policy {
    parsed(&format!("{HEAD}{}{ISSUER}", TABLES.concat()))
}

fn proof(kind: &str, speaks_for: SpeaksFor) -> ProofLine {
    let basis = Basis {
        voucher: "https://v.example.com".into(),
        key: None,
        checked: NOW,
        good_until: NOW.plus(Duration::from_secs(600)),
        digest: String::new(),
        got_with: GotWith::Given,
    };
    ProofLine { kind: kind.into(), basis, speaks_for }
}

fn job(id: &str) -> Workload {
    Workload::Job {
        job: JobId::try_from(id).expect("a job id"),
        run: RunId::try_from("5").expect("a run id"),
        name: "unnamed".into(),
        tags: Vec::new(),
        locked: false,
    }
}

/// An engineer's service principal that runs job 1: granted.
fn engineer() -> JobIdentity {
    JobIdentity {
        workspace: WorkspaceHost::try_from("https://dbc-1.example.com").expect("a workspace"),
        cluster: ClusterId::try_from("0101-1-a").expect("a cluster id"),
        node: NodeAddress::try_from("10.0.0.1").expect("an address"),
        role: NodeRole::Driver,
        membership: Membership::Listed,
        workload: job("1"),
        principal: Principal { kind: PrincipalKind::ServicePrincipal, name: PrincipalName::try_from("sp-9").expect("a name") },
        groups: BTreeSet::from([group("databricks:eng")]),
        compute_policy: None,
        members: BTreeSet::new(),
        proofs: vec![proof("databricks", SpeaksFor::Job), proof("oidc:okta", SpeaksFor::Job)],
    }
}

fn answer(identity: &JobIdentity) -> Result<String, &'static str> {
    evaluate(&policy(), identity, NOW).0.map(|found| found.scope.to_string()).map_err(|refusal| refusal.reason())
}

fn changed(change: impl FnOnce(&mut JobIdentity)) -> Result<String, &'static str> {
    let mut identity = engineer();
    change(&mut identity);
    answer(&identity)
}

#[test]
fn an_engineer_may_run_the_job_that_a_scope_names() {
    assert_eq!(answer(&engineer()), Ok("training".into()));
}

/// A report job with everything that its scope asks for.
fn report(identity: &mut JobIdentity) {
    identity.groups = BTreeSet::from([group("okta:leads")]);
    let Workload::Job { job, name, tags, .. } = &mut identity.workload else { return };
    (*job, *name) = (JobId::try_from("77").expect("a job id"), "report".into());
    tags.push(("team".into(), "risk".into()));
}

#[test]
fn each_refusal_has_its_own_reason_and_all_of_them_one_exit() {
    type Change = fn(&mut JobIdentity);
    let rows: &[(&str, Result<&str, &str>, Change)] = &[
        ("another workspace of the policy", Ok("training"), |identity| {
            identity.workspace = WorkspaceHost::try_from("https://dbc-2.example.com").expect("a workspace");
        }),
        ("a workspace that is not the policy's", Err("policy-other-workspace"), |identity| {
            identity.workspace = WorkspaceHost::try_from("https://dbc-3.example.com").expect("a workspace");
        }),
        ("no token", Err("proof-missing"), |identity| drop(identity.proofs.pop())),
        ("no word of the workspace", Err("proof-missing"), |identity| drop(identity.proofs.remove(0))),
        ("a token of the agent", Err("proof-missing"), |identity| identity.proofs[1].speaks_for = SpeaksFor::Agent),
        ("a token of the agent beside one of the job", Ok("training"), |identity| {
            identity.proofs.insert(0, proof("oidc:okta", SpeaksFor::Agent));
        }),
        ("a token that has ended", Err("proof-missing"), |identity| identity.proofs[1].basis.good_until = NOW),
        ("a token of another issuer", Err("proof-missing"), |identity| identity.proofs[1].kind = "oidc:entra".into()),
        ("no groups", Err("role-missing"), |identity| identity.groups.clear()),
        ("a group of another provider with the same name", Err("role-missing"), |identity| {
            identity.groups = BTreeSet::from([group("databricks:engineers")]);
        }),
        ("a denied role beside a permitted one", Err("role-denied"), |identity| {
            identity.groups.insert(group("okta:contractors"));
        }),
        ("a job that no scope names", Err("no-scope"), |identity| identity.workload = job("4")),
        ("a scope without `run`", Err("run-not-permitted"), |identity| identity.workload = job("9")),
        ("an interactive cluster without a compute policy", Err("no-scope"), |identity| {
            identity.workload = Workload::Interactive;
        }),
        ("an interactive cluster of another compute policy", Err("no-scope"), |identity| {
            identity.workload = Workload::Interactive;
            identity.compute_policy = ComputePolicyId::try_from("XYZ").ok();
        }),
        ("an interactive cluster", Ok("notebook"), |identity| {
            identity.workload = Workload::Interactive;
            identity.compute_policy = ComputePolicyId::try_from("DEF").ok();
        }),
        ("a job on a cluster of that compute policy", Err("no-scope"), |identity| {
            identity.workload = job("4");
            identity.compute_policy = ComputePolicyId::try_from("DEF").ok();
        }),
        ("a job by name and tag", Ok("report"), report),
        ("the name without the tag", Err("no-scope"), |identity| {
            report(identity);
            let Workload::Job { tags, .. } = &mut identity.workload else { return };
            tags.clear();
        }),
        ("the tag with another value", Err("no-scope"), |identity| {
            report(identity);
            let Workload::Job { tags, .. } = &mut identity.workload else { return };
            tags[0].1 = "Risk".into();
        }),
        ("the tag without the name", Err("no-scope"), |identity| {
            report(identity);
            let Workload::Job { name, .. } = &mut identity.workload else { return };
            name.clear();
        }),
        ("a job in two scopes", Err("ambiguous-scope"), |identity| {
            report(identity);
            let Workload::Job { job, .. } = &mut identity.workload else { return };
            *job = JobId::try_from("1").expect("a job id");
        }),
        ("locked, and run as the right principal", Ok("locked"), |identity| {
            identity.workload = job("4");
            let Workload::Job { locked, .. } = &mut identity.workload else { return };
            *locked = true;
            identity.principal.name = PrincipalName::try_from("sp-2").expect("a name");
        }),
        ("the right principal, and not locked", Err("no-scope"), |identity| {
            identity.workload = job("4");
            identity.principal.name = PrincipalName::try_from("sp-2").expect("a name");
        }),
        ("a group that is called like the principal", Err("no-scope"), |identity| {
            identity.workload = job("4");
            let Workload::Job { locked, .. } = &mut identity.workload else { return };
            *locked = true;
            identity.principal = Principal { kind: PrincipalKind::Group, name: PrincipalName::try_from("sp-2").expect("a name") };
        }),
    ];
    for (what, expected, change) in rows {
        assert_eq!(changed(*change), expected.map(str::to_owned), "{what}");
    }
    assert_eq!(evaluate(&policy(), &engineer(), policy().not_after).0.map_err(|refusal| refusal.reason()), Err("policy-expired"));
    let refusals = [
        Refusal::IdentityExpired,
        Refusal::PolicyExpired(NOW),
        Refusal::OtherWorkspace("w".into()),
        Refusal::ProofMissing { kind: "k".into(), presented: "absent" },
        Refusal::NoScope("j".into()),
        Refusal::AmbiguousScope(vec!["a".into(), "b".into()]),
        Refusal::RoleMissing { expected: vec!["a".into()], presented: vec![] },
        Refusal::RoleDenied("r".into()),
        Refusal::RunNotPermitted("s".into()),
        Refusal::EnvironmentUnknown("e".into()),
    ];
    let reasons: BTreeSet<&str> = refusals.iter().map(Refusal::reason).collect();
    assert_eq!(reasons.len(), refusals.len());
    for refusal in &refusals {
        let screen = refusal.screen();
        assert_eq!((screen.exit.code(), &*screen.reason), (79, refusal.reason()));
        assert!(!screen.hint.is_empty(), "{screen}");
    }
}

#[test]
fn every_rule_that_is_in_the_way_stands_in_the_trace_and_the_first_names_the_refusal() {
    let mut identity = engineer();
    identity.proofs.clear();
    identity.groups.clear();
    let (outcome, trace) = evaluate(&policy(), &identity, NOW);
    assert_eq!(outcome.map_err(|refusal| refusal.reason()), Err("proof-missing"));
    let missed: Vec<&str> = trace.steps.iter().filter(|step| !step.hit).map(|step| step.rule.as_str()).collect();
    for rule in ["require / databricks", "require / oidc:okta", "role engineer", "scope training / run-by"] {
        assert!(missed.contains(&rule), "{rule}\n{trace}");
    }
    let json: serde_json::Value = serde_json::from_str(&trace.to_json()).unwrap();
    assert_eq!(json["steps"].as_array().map(Vec::len), Some(trace.steps.len()));
    assert_eq!(trace.to_string().lines().count(), trace.steps.len());
}

#[test]
fn what_the_agent_got_with_a_clouds_token_counts_only_where_no_job_can_get_one() {
    let kernel = |word: &str| {
        let floor = "floor = { landlock = 4, mount = true, capabilities = true, seccomp = true }";
        format!("preset = \"linux\"\nkernel = {{ {floor}{word} }}\n")
    };
    let row = "scope training / metadata-service";
    for (word, enforcement, behind, expected, hit) in [
        ("", "enforce", None, Ok("training"), true),
        ("", "enforce", Some(0), Err("imds-open-to-user-code"), false),
        ("", "enforce", Some(1), Err("imds-open-to-user-code"), false),
        (", metadata-service = \"open\"", "enforce", Some(0), Err("imds-open-to-user-code"), false),
        (", metadata-service = \"closed\"", "enforce", Some(0), Ok("training"), true),
        (", metadata-service = \"closed-elsewhere\"", "enforce", Some(1), Ok("training"), true),
        // Nothing is locked: the way is on record, and nobody is held up.
        ("", "observe", Some(0), Ok("training"), false),
    ] {
        let text = format!("{HEAD}{}{ISSUER}", TABLES.concat()).replace("\"enforce\"", &format!("\"{enforcement}\""));
        let policy = parsed(&text.replace("preset = \"linux\"\n", &kernel(word)));
        let mut identity = engineer();
        behind.into_iter().for_each(|at: usize| identity.proofs[at].basis.got_with = GotWith::CloudToken);
        let (outcome, trace) = evaluate(&policy, &identity, NOW);
        let told = format!("{word} {enforcement} {behind:?}");
        assert_eq!(outcome.as_ref().map(|found| found.scope.as_str()).map_err(Refusal::reason), expected, "{told}");
        let step = trace.steps.iter().find(|step| step.rule == row).unwrap_or_else(|| panic!("{told}: {trace}"));
        assert_eq!(step.hit, hit, "{told}: {step:?}");
        if let Err(refusal) = outcome {
            let screen = refusal.screen();
            // The exit of the try from inside the lock, which has the same name.
            assert_eq!(screen.exit, longhorn::exit::Exit::RefusedFloor);
            assert!(screen.to_string().contains(["databricks", "oidc:okta"][behind.expect("a proof")]), "{screen}");
        }
    }
}

#[test]
fn only_a_verified_identity_is_granted_and_the_grant_ends_with_what_ends_first() {
    let document = |text: &str| Answered::Document(text.as_bytes().to_vec());
    let text = format!("{HEAD}{}{ISSUER}", TABLES.concat()).replace("\"databricks\"§\"oidc:okta\"", "\"databricks\"");
    let policy = parsed(&text);
    let claim = DatabricksClaim {
        host: WorkspaceHost::try_from("https://dbc-1.example.com").unwrap(),
        hints: Hints {
            cluster: ClusterId::try_from("0101-1-a").unwrap(),
            address: NodeAddress::try_from("10.0.0.1").unwrap(),
            driver: true,
            job: Some((JobId::try_from("1").unwrap(), RunId::try_from("5").unwrap())),
        },
        cluster: document(
            r#"{"cluster_id":"0101-1-a","cluster_source":"JOB","state":"RUNNING","single_user_name":"ada@example.com","driver":{"private_ip":"10.0.0.1"}}"#,
        ),
        run: Some(document(r#"{"run_id":5,"job_id":1,"cluster_instance":{"cluster_id":"0101-1-a"}}"#)),
        job: Some(document(r#"{"job_id":1,"run_as_user_name":"ada@example.com","settings":{"name":"train"}}"#)),
        principal: Some(document(r#"{"Resources":[{"userName":"ada@example.com","active":true,"groups":[{"display":"eng"}]}]}"#)),
        got_with: GotWith::Given,
    };
    let rules = Rules {
        trust: &policy.trust,
        listed: true,
        period: Duration::from_secs(600),
        node_key: "",
        occasion: Occasion::Join,
        now: NOW,
    };
    let proven = verify(&Unverified::new(Claim::Databricks(Box::new(claim))), &rules).unwrap();
    let identity = agree(vec![proven], &policy.trust, NOW).unwrap();
    let end = NOW.plus(Duration::from_secs(600));

    let grant = decide(&policy, &identity, NOW).outcome.unwrap();
    assert_eq!((grant.scope().as_str(), grant.policy_serial()), ("training", 7));
    assert_eq!(grant.permissions(), &BTreeSet::from([Permission::Run, Permission::ModelRead]));
    assert_eq!(grant.clearance().len(), 1);
    assert_eq!(grant.roles(), &BTreeSet::from([local("engineer")]));
    assert_eq!(grant.environment().name.as_str(), "python");
    assert_eq!(grant.good_until(), end, "the proof ends before the policy");
    let mut short = policy.clone();
    short.not_after = NOW.plus(Duration::from_secs(1));
    assert_eq!(decide(&short, &identity, NOW).outcome.unwrap().good_until(), short.not_after);

    let late = decide(&policy, &identity, end);
    assert_eq!(late.outcome.map(|_| ()), Err(Refusal::IdentityExpired));
    assert!(!late.trace.steps.is_empty());
}

#[test]
fn an_empty_selector_selects_nothing_even_in_a_policy_that_no_reader_made() {
    let mut policy = policy();
    let scope = policy.scopes.get_mut(&local("training")).unwrap();
    scope.jobs = Some(JobSelector::default());
    scope.clusters = Some(ClusterSelector::default());
    policy.scopes.retain(|name, _| name.as_str() == "training");
    let mut identity = engineer();
    for workload in [job("1"), Workload::Interactive] {
        identity.workload = workload;
        let outcome = evaluate(&policy, &identity, NOW).0;
        assert_eq!(outcome.map_err(|refusal| refusal.reason()), Err("no-scope"));
    }
}

#[test]
fn observe_answers_as_enforce_would() {
    let observed = parsed(&format!("{HEAD}{}{ISSUER}", TABLES.concat()).replace("\"enforce\"", "\"observe\""));
    let mut identity = engineer();
    for groups in [vec!["okta:engineers"], vec![]] {
        identity.groups = groups.into_iter().map(group).collect();
        assert_eq!(evaluate(&observed, &identity, NOW), evaluate(&policy(), &identity, NOW));
    }
}
