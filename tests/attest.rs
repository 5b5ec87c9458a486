//! Promises of evidence and identity, against a workspace and an issuer on loopback: what is false is refused by name, what
//! cannot be told is a failure, and neither is a yes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longhorn::host::clock::{Clock, SystemClock, Timestamp};
use longhorn::identity::ids::{Audience, Issuer, LocalName, WorkspaceHost};
use longhorn::identity::job::{JobIdentity, Membership, PrincipalKind, SpeaksFor};
use longhorn::identity::trust::{Algorithm, OidcTrust, ProofKind, SubjectEquals, SubjectRule, Trust};
use simulator::Simulator;
use simulator::faults::Fault;
use simulator::scenario::{CLUSTER, JOB, PRINCIPAL, RUN, Scenario};
use way::{Stop, Way};

#[path = "support/way.rs"]
mod way;

struct Case {
    simulator: Simulator,
    listed: bool,
    address: &'static str,
    driver: bool,
    name: String,
    patience: Duration,
    secret: &'static str,
}

impl Case {
    fn honest() -> Self {
        Self {
            simulator: simulator::start(Scenario::honest()).expect("the simulator starts"),
            listed: true,
            address: "127.0.0.1",
            driver: true,
            name: format!("job-{JOB}-run-{RUN}-main"),
            patience: Duration::from_secs(5),
            secret: "agent-secret",
        }
    }

    fn trust(&self) -> Trust {
        let name = LocalName::try_from("okta").expect("a name");
        let host = WorkspaceHost::try_from(self.simulator.url()).expect("an origin");
        let issuer = OidcTrust {
            name: name.clone(),
            issuer: Issuer::try_from(self.simulator.url()).expect("an issuer"),
            jwks_hosts: BTreeSet::from([self.simulator.url().trim_start_matches("http://").to_owned()]),
            audience: Audience::try_from("longhorn").expect("an audience"),
            algorithms: BTreeSet::from([Algorithm::RS256, Algorithm::ES256]),
            types: BTreeSet::from(["jwt".to_owned(), "at+jwt".to_owned()]),
            groups: Some("groups".into()),
            subject: SubjectRule { claim: "sub".into(), equals: SubjectEquals::ApplicationId },
        };
        Trust {
            workspaces: BTreeSet::from([host]),
            require: BTreeSet::from([ProofKind::Databricks, ProofKind::Oidc(name.clone())]),
            oidc: BTreeMap::from([(name, issuer)]),
        }
    }

    fn attest(&self, token: &str) -> Result<JobIdentity, Stop> {
        self.with(token, |way| way.walk())
    }

    fn reason(&self, token: &str) -> &'static str {
        self.with(token, |way| way.reason())
    }

    fn with<T>(&self, token: &str, walk: impl FnOnce(&Way) -> T) -> T {
        walk(&Way {
            workspace: self.simulator.url(),
            secret: self.secret,
            variables: BTreeMap::from([
                ("DB_CLUSTER_ID", CLUSTER),
                ("DB_CONTAINER_IP", self.address),
                ("DB_IS_DRIVER", if self.driver { "TRUE" } else { "FALSE" }),
                ("DB_CLUSTER_NAME", &self.name),
            ]),
            trust: &self.trust(),
            token,
            listed: self.listed,
            patience: self.patience,
        })
    }

    fn claims(&self, change: &[(&str, serde_json::Value)]) -> String {
        let now = SystemClock.now().seconds();
        let mut claims = serde_json::json!({ "iss": self.simulator.url(), "aud": "longhorn", "sub": PRINCIPAL, "iat": now, "exp": now + 600, "groups": ["ml-engineers"] });
        for (name, value) in change {
            if value.is_null() {
                claims.as_object_mut().expect("an object").remove(*name);
            } else {
                claims[*name] = value.clone();
            }
        }
        claims.to_string()
    }

    fn token(&self, change: &[(&str, serde_json::Value)]) -> String {
        self.simulator.mint(HEADER, &self.claims(change), "rsa")
    }
}

const HEADER: &str = r#"{"alg":"RS256","kid":"rsa-1","typ":"JWT"}"#;

#[test]
fn an_honest_job_is_who_the_workspace_and_the_issuer_say_it_is() {
    let case = Case::honest();
    let Ok(identity) = case.attest(&case.token(&[])) else { panic!("an honest job is refused") };
    assert_eq!(
        (identity.cluster.as_str(), identity.principal.name.as_str(), identity.principal.kind),
        (CLUSTER, PRINCIPAL, PrincipalKind::ServicePrincipal)
    );
    let groups: Vec<&str> = identity.groups.iter().map(|group| group.as_str()).collect();
    assert_eq!(groups, ["databricks:ml-eng", "okta:ml-engineers"]);
    assert!(identity.proofs.iter().all(|proof| proof.speaks_for == SpeaksFor::Job) && identity.membership == Membership::Listed);
}

#[test]
fn each_false_claim_is_refused_for_its_own_reason() {
    let case = Case::honest();
    let now = SystemClock.now().seconds();
    use serde_json::{Value, json};
    let rows: Vec<(&str, Value, &str)> = vec![
        ("iss", json!("https://other.example"), "issuer-mismatch"),
        ("iss", Value::Null, "claim-missing"),
        ("aud", json!("elsewhere"), "audience-mismatch"),
        ("aud", Value::Null, "claim-missing"),
        ("aud", json!(7), "claim-malformed"),
        ("aud", json!(["longhorn", "other"]), "authorized-party-mismatch"),
        ("sub", json!("00000000-0000-4000-8000-000000000000"), "subject-mismatch"),
        ("sub", Value::Null, "claim-missing"),
        ("exp", json!(now - 31), "token-expired"),
        ("exp", Value::Null, "claim-missing"),
        ("exp", json!("soon"), "claim-malformed"),
        ("exp", json!(1e18), "claim-malformed"),
        ("exp", json!(-5), "claim-malformed"),
        ("iat", Value::Null, "claim-missing"),
        ("iat", json!(now + 3600), "token-not-yet-valid"),
        ("iat", json!(now - 90_000), "token-too-old"),
        ("nbf", json!(now + 3600), "token-not-yet-valid"),
        ("groups", json!("ml-engineers"), "claim-malformed"),
        ("groups", json!([7]), "claim-malformed"),
        ("_claim_names", json!({ "groups": "src1" }), "groups-overage"),
        ("hasgroups", json!(true), "groups-overage"),
        // The leeway of 30 s, both ways, is granted.
        ("exp", json!(now - 5), "granted"),
        ("nbf", json!(now + 5), "granted"),
        ("aud", json!(["longhorn"]), "granted"),
    ];
    for (name, value, expected) in rows {
        assert_eq!(case.reason(&case.token(&[(name, value.clone())])), expected, "{name} = {value}");
    }
}

#[test]
fn each_false_header_and_signature_is_refused_for_its_own_reason() {
    let case = Case::honest();
    let claims = case.claims(&[]);
    let mint = |header: &str, key: &str| case.simulator.mint(header, &claims, key);
    let header = |extra: &str| format!(r#"{{"alg":"RS256","kid":"rsa-1","typ":"JWT",{extra}}}"#);
    let honest = mint(HEADER, "rsa");
    let rows = [
        (mint(r#"{"alg":"none","typ":"JWT"}"#, "none"), "algorithm-none"),
        (mint(r#"{"alg":"NoNe","typ":"JWT"}"#, "none"), "algorithm-none"),
        (mint(r#"{"alg":"HS256","kid":"rsa-1","typ":"JWT"}"#, "rsa"), "algorithm-not-allowed"),
        (mint(r#"{"alg":"PS256","kid":"rsa-1","typ":"JWT"}"#, "rsa"), "algorithm-not-allowed"),
        (mint(r#"{"alg":"ES256","kid":"rsa-1","typ":"JWT"}"#, "rsa"), "key-unfit"),
        (mint(r#"{"alg":"RS256","kid":"ec-1","typ":"JWT"}"#, "ec"), "key-unfit"),
        (mint(r#"{"alg":"RS256","kid":"unknown","typ":"JWT"}"#, "rsa"), "key-unknown"),
        (mint(HEADER, "other"), "signature-invalid"),
        (mint(HEADER, "none"), "signature-invalid"),
        (mint(&header(r#""crit":["exp"]"#), "rsa"), "critical-header-unknown"),
        (mint(&header(r#""b64":false,"crit":["b64"]"#), "rsa"), "critical-header-unknown"),
        (mint(&header(r#""b64":false"#), "rsa"), "critical-header-unknown"),
        (mint(&header(r#""jku":"https://evil.example/keys""#), "rsa"), "embedded-key"),
        (mint(&header(r#""jwk":{"kty":"RSA"}"#), "rsa"), "embedded-key"),
        (mint(&header(r#""x5u":"https://evil.example""#), "rsa"), "embedded-key"),
        (mint(&header(r#""x5c":["AA"]"#), "rsa"), "embedded-key"),
        (mint(r#"{"alg":"RS256","kid":"rsa-1","typ":"logout+jwt"}"#, "rsa"), "type-mismatch"),
        (mint(r#"{"alg":"none","alg":"RS256","kid":"rsa-1"}"#, "rsa"), "duplicate-claim"),
        (mint(&header(r#""zip":"DEF""#), "rsa"), "token-malformed"),
        (case.simulator.mint(HEADER, &claims.replacen('{', r#"{"sub":"x","#, 1), "rsa"), "duplicate-claim"),
        (case.simulator.mint(HEADER, "[]", "rsa"), "token-malformed"),
        (format!("{honest}="), "token-malformed"),
        (format!("{honest}.x"), "token-malformed"),
        (honest.replacen('.', "", 1), "token-malformed"),
        (format!(" {honest}"), "token-malformed"),
        (String::new(), "token-malformed"),
        ("x".repeat(20_000), "token-oversized"),
        // What is good stays good: EC, no kid where only one key fits, other spellings of the type.
        (mint(r#"{"alg":"ES256","kid":"ec-1","typ":"at+jwt"}"#, "ec"), "granted"),
        (mint(r#"{"alg":"RS256","typ":"application/JWT"}"#, "rsa"), "granted"),
        (format!("{honest}\n"), "granted"),
    ];
    for (token, expected) in rows {
        assert_eq!(case.reason(&token), expected, "{token}");
    }
}

#[test]
fn a_token_of_the_agents_own_client_proves_the_agent_and_gives_the_job_no_group() {
    let case = Case::honest();
    let token = case.token(&[("sub", "agent-app".into()), ("client_id", "agent-app".into())]);
    let Ok(identity) = case.attest(&token) else { panic!("an agent's token is refused") };
    assert_eq!(identity.proofs[1].speaks_for, SpeaksFor::Agent);
    assert!(identity.groups.iter().all(|group| group.as_str().starts_with("databricks:")));
}

/// How a scenario is made false.
type Change<'a> = &'a dyn Fn(&mut Scenario);

#[test]
fn what_the_workspace_says_must_agree_with_itself_and_with_the_node() {
    let rows: &[(&str, Change)] = &[
        ("cluster-unknown", &|scenario| scenario.clusters.clear()),
        ("run-unknown", &|scenario| scenario.runs.clear()),
        ("job-unknown", &|scenario| scenario.jobs.clear()),
        ("principal-unknown", &|scenario| scenario.principals.clear()),
        ("cluster-mismatch", &|scenario| scenario.clusters.get_mut(CLUSTER).expect("there")["cluster_id"] = "other".into()),
        ("cluster-mismatch", &|scenario| {
            scenario.runs.get_mut(RUN).expect("there")["tasks"][0]["cluster_instance"]["cluster_id"] = "other".into()
        }),
        ("cluster-source-mismatch", &|scenario| {
            scenario.clusters.get_mut(CLUSTER).expect("there")["cluster_source"] = "UI".into()
        }),
        ("run-of-another-job", &|scenario| scenario.runs.get_mut(RUN).expect("there")["job_id"] = 7.into()),
        ("run-as-mismatch", &|scenario| {
            scenario.clusters.get_mut(CLUSTER).expect("there")["single_user_name"] = "x@example.com".into()
        }),
        ("cluster-ended", &|scenario| scenario.clusters.get_mut(CLUSTER).expect("there")["state"] = "TERMINATED".into()),
        ("driver-mismatch", &|scenario| {
            scenario.clusters.get_mut(CLUSTER).expect("there")["driver"]["private_ip"] = "10.9.9.9".into()
        }),
        ("principal-inactive", &|scenario| scenario.principals.get_mut(PRINCIPAL).expect("there")["active"] = false.into()),
        ("answer-malformed", &|scenario| scenario.clusters.get_mut(CLUSTER).expect("there")["state"] = 7.into()),
    ];
    for (expected, change) in rows {
        let case = Case::honest();
        case.simulator.edit(|scenario| change(scenario));
        assert_eq!(case.reason(&case.token(&[])), *expected);
    }
}

#[test]
fn a_node_that_is_not_listed_waits_or_is_refused_as_the_settings_say() {
    let mut case = Case { address: "127.0.0.9", driver: false, ..Case::honest() };
    assert_eq!(case.reason(&case.token(&[])), "node-not-listed");
    case.listed = false;
    let Ok(identity) = case.attest(&case.token(&[])) else { panic!("a late node is refused") };
    assert_eq!(identity.membership, Membership::Provisional);
}

#[test]
fn a_workspace_that_cannot_be_understood_is_a_failure_and_never_a_refusal() {
    let fault = |fault: Fault| Fault { path: "/api/2.1/clusters".into(), ..fault };
    let rows = [
        (fault(Fault { status: Some(401), ..Fault::default() }), "workspace-credential-refused"),
        (fault(Fault { status: Some(403), ..Fault::default() }), "workspace-credential-refused"),
        (fault(Fault { status: Some(500), ..Fault::default() }), "workspace-unavailable"),
        (fault(Fault { status: Some(429), retry_after: Some("900".into()), ..Fault::default() }), "workspace-unavailable"),
        (fault(Fault { redirect: Some("https://elsewhere.example/".into()), ..Fault::default() }), "workspace-unavailable"),
        (fault(Fault { delay_ms: 10_000, ..Fault::default() }), "workspace-unavailable"),
        (fault(Fault { bytes: 600_000, ..Fault::default() }), "workspace-unavailable"),
        (fault(Fault { cut: true, ..Fault::default() }), "workspace-unavailable"),
        (fault(Fault { status: Some(418), ..Fault::default() }), "workspace-unintelligible"),
        (Fault { path: "/keys".into(), status: Some(404), ..Fault::default() }, "issuer-unintelligible"),
        (Fault { path: "/keys".into(), cut: true, ..Fault::default() }, "issuer-unavailable"),
        (Fault { path: "/.well-known/openid".into(), status: Some(500), ..Fault::default() }, "issuer-unavailable"),
        (Fault { path: "/.well-known/openid".into(), body: Some("{".into()), ..Fault::default() }, "issuer-unintelligible"),
    ];
    for (fault, expected) in rows {
        let case = Case { patience: Duration::from_millis(1500), ..Case::honest() };
        let token = case.token(&[]);
        case.simulator.fault(fault.clone());
        assert_eq!(case.reason(&token), expected, "{fault:?}");
    }
    let case = Case { secret: "wrong-secret", ..Case::honest() };
    assert_eq!(case.reason(&case.token(&[])), "workspace-credential-refused");
}

#[test]
fn retry_after_is_honoured_and_passing_faults_pass() {
    let case = Case::honest();
    let token = case.token(&[]);
    case.simulator.fault(Fault {
        path: "/api/2.1/clusters".into(),
        status: Some(429),
        retry_after: Some("1".into()),
        times: 1,
        ..Fault::default()
    });
    case.simulator.fault(Fault {
        path: "/api/2.2/jobs".into(),
        status: Some(503),
        retry_after: Some("0".into()),
        times: 2,
        ..Fault::default()
    });
    let began = SystemClock.boot();
    assert_eq!(case.reason(&token), "granted");
    assert!(SystemClock.boot().0 - began.0 >= 1_000_000_000, "it waited as it was asked");
    assert_eq!(case.simulator.requests()["/api/2.1/clusters/get"], 2);
}

#[test]
fn an_hour_of_clock_skew_is_named_as_such() {
    let case = Case::honest();
    let now = SystemClock.now().seconds();
    let ahead = case.token(&[("iat", (now + 3600).into()), ("exp", (now + 7200).into())]);
    let Err(Stop::Refused(refusal)) = case.attest(&ahead) else { panic!("a token from the future is accepted") };
    let screen = refusal.screen().to_string();
    assert!(screen.contains("our clock") && screen.contains(&Timestamp::from_seconds(now + 3600).to_string()), "{screen}");
}
