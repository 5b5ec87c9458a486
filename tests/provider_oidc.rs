//! Promises towards issuers that we did not write: a provider from npm, certified for OpenID Connect, issues the job's token.
//! Its honest tokens are understood as they come; each false one is refused by name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use longhorn::identity::client_assertion::{AssertionAlgorithm, AssertionAudience, AssertionRule, KeyName};
use longhorn::identity::ids::{Audience, Issuer, LocalName, WorkspaceHost};
use longhorn::identity::job::{JobIdentity, SpeaksFor};
use longhorn::identity::trust::{
    Algorithm, KeyBinding, OidcTrust, ProofKind, Provider as Trusted, SubjectEquals, SubjectRule, Trust,
};
use provider::Provider;
use simulator::Simulator;
use simulator::scenario::{CLUSTER, DRIVER, JOB, PRINCIPAL, RUN, Scenario};
use way::{Stop, Way};

#[path = "support/provider.rs"]
mod provider;
#[path = "support/way.rs"]
mod way;

const ALGORITHMS: &[(&str, Algorithm)] =
    &[("RS256", Algorithm::RS256), ("PS256", Algorithm::PS256), ("ES256", Algorithm::ES256), ("EdDSA", Algorithm::EdDSA)];
/// A client of the provider that is not the job's principal.
const STRANGER: &str = "00000000-0000-4000-8000-000000000000";

/// A provider with new keys, on this port (0: a free one).
fn start(port: &str) -> Provider {
    Provider::start(Path::new(env!("CARGO_MANIFEST_DIR")), port).expect("the provider starts")
}

/// A token of the honest provider's client, or of another.
fn token(provider: &str, client: &str, resource: &str) -> String {
    provider::token(provider, client, resource).expect("the provider issues a token")
}

/// A job whose workspace is the simulator's and whose issuer is the provider.
struct Case {
    workspace: Simulator,
    provider: Provider,
}

impl Case {
    fn honest() -> Self {
        Self { workspace: simulator::start(Scenario::honest()).expect("the simulator starts"), provider: start("0") }
    }

    /// The provider again: the same address, other keys.
    fn rotate(&mut self) {
        self.provider.end().expect("it ends");
        self.provider = start(self.provider.url.rsplit(':').next().expect("a port"));
    }

    fn token(&self, algorithm: &str) -> String {
        token(&self.provider.url, PRINCIPAL, &format!("urn:longhorn:{algorithm}"))
    }

    /// What the policy says of the provider.
    fn issuer(&self) -> OidcTrust {
        let issuer = &self.provider.url;
        OidcTrust {
            name: LocalName::try_from("okta").expect("a name"),
            issuer: Issuer::try_from(issuer.as_str()).expect("an issuer"),
            jwks_hosts: BTreeSet::from([issuer.trim_start_matches("http://").to_owned()]),
            audience: Audience::try_from("longhorn").expect("an audience"),
            algorithms: ALGORITHMS.iter().map(|(_, algorithm)| *algorithm).collect(),
            // RFC 9068 §2.1.
            types: BTreeSet::from(["at+jwt".to_owned()]),
            groups: Some("groups".into()),
            subject: SubjectRule { claim: "sub".into(), equals: SubjectEquals::ApplicationId },
            provider: Trusted::Standard,
            node_key: KeyBinding::Unbound,
        }
    }

    fn with<T>(&self, issuer: OidcTrust, token: &str, walk: impl FnOnce(&Way) -> T) -> T {
        let name = issuer.name.clone();
        let trust = Trust {
            workspaces: BTreeSet::from([WorkspaceHost::try_from(self.workspace.url()).expect("an origin")]),
            require: BTreeSet::from([ProofKind::Databricks, ProofKind::Oidc(name.clone())]),
            oidc: BTreeMap::from([(name, issuer)]),
            saml: BTreeMap::new(),
            node: None,
        };
        walk(&Way {
            workspace: self.workspace.url(),
            secret: "agent-secret",
            subject_token: None,
            variables: BTreeMap::from([
                ("DB_CLUSTER_ID", CLUSTER),
                ("DB_CONTAINER_IP", DRIVER),
                ("DB_IS_DRIVER", "TRUE"),
                ("DB_CLUSTER_NAME", &format!("job-{JOB}-run-{RUN}-main")),
            ]),
            trust: &trust,
            token: token.as_bytes(),
            client: None,
            key: None,
            graph_secret: "agent-secret",
            listed: true,
            by_job: true,
            patience: Duration::from_secs(5),
            ahead: 0,
        })
    }

    fn identity(&self, token: &str) -> JobIdentity {
        self.with(self.issuer(), token, |way| way.walk().unwrap_or_else(|_| panic!("refused: {}", way.reason())))
    }

    fn reason(&self, token: &str) -> String {
        self.with(self.issuer(), token, |way| way.reason())
    }
}

fn groups(identity: &JobIdentity) -> Vec<&str> {
    identity.groups.iter().map(|group| group.as_str()).collect()
}

#[test]
fn a_real_providers_token_proves_the_job_and_its_groups_in_every_algorithm() {
    let case = Case::honest();
    for (algorithm, _) in ALGORITHMS {
        let token = case.token(algorithm);
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a header")).expect("base64url");
        let header: serde_json::Value = serde_json::from_slice(&header).expect("JSON");
        assert_eq!((&header["alg"], &header["typ"]), (&(*algorithm).into(), &"at+jwt".into()));
        let identity = case.identity(&token);
        assert_eq!(groups(&identity), ["databricks:ml-eng", "okta:ml-engineers"], "{algorithm}");
        let proof = &identity.proofs[1];
        assert_eq!((proof.speaks_for, proof.basis.voucher.as_str()), (SpeaksFor::Job, case.provider.url.as_str()));
        assert_eq!(proof.basis.key.as_deref(), header["kid"].as_str(), "the proof names the key that the provider signed with");
    }
}

#[test]
fn a_token_of_another_client_proves_that_client_and_gives_the_job_no_group() {
    let case = Case::honest();
    let identity = case.identity(&token(&case.provider.url, STRANGER, "urn:longhorn:RS256"));
    assert_eq!(identity.proofs[1].speaks_for, SpeaksFor::Agent);
    assert_eq!(groups(&identity), ["databricks:ml-eng"]);
}

#[test]
fn an_agent_that_is_a_client_of_the_issuer_has_a_token_that_proves_the_agent_alone() {
    let mut case = Case::honest();
    let client = |id, resource| move |way: &Way| Way { client: Some((id, resource)), ..way.clone() }.walk();
    // An id that means something to a form and to Basic authentication.
    let Ok(identity) = case.with(case.issuer(), "", client("the agent:1", "urn:longhorn:ES256")) else { panic!("refused") };
    assert_eq!(identity.proofs[1].speaks_for, SpeaksFor::Agent);
    assert_eq!(groups(&identity), ["databricks:ml-eng"]);
    let ended = |id, resource| way::reason(case.with(case.issuer(), "", client(id, resource)));
    assert_eq!(ended("nobody", "urn:longhorn:RS256"), "issuer-credential-refused");
    assert_eq!(ended("the agent:1", "urn:elsewhere:RS256"), "audience-mismatch");
    case.provider.end().expect("it ends");
    assert_eq!(way::reason(case.with(case.issuer(), "", client("the agent:1", "urn:longhorn:RS256"))), "issuer-unavailable");
}

/// A walk by the provider's client whose key this is; the last word says what the provider answered.
fn by_key(case: &Case, id: &str, pem: &str, rule: AssertionRule) -> Result<JobIdentity, Stop> {
    let way = |way: &Way| Way { client: Some((id, "urn:longhorn:ES256")), key: Some((pem, rule)), ..way.clone() }.walk();
    case.with(case.issuer(), "", way)
}

#[test]
fn an_agent_that_is_a_client_with_a_key_has_its_token_without_a_secret() {
    let case = Case::honest();
    let keys = STANDARD.decode(&case.provider.keys).expect("base64");
    let keys: BTreeMap<String, String> = serde_json::from_slice(&keys).expect("keys by algorithm");
    let rule = |algorithm, audience| AssertionRule { algorithm, name: KeyName::Id("agent-1".into()), audience };
    for (word, algorithm) in AssertionAlgorithm::WORDS {
        for audience in [AssertionAudience::TokenEndpoint, AssertionAudience::Issuer] {
            let walked = by_key(&case, &format!("agent-{word}"), &keys[word], rule(algorithm, audience));
            let Ok(identity) = walked else { panic!("{word}: {}", way::reason(walked)) };
            assert_eq!(
                (identity.proofs[1].speaks_for, groups(&identity)),
                (SpeaksFor::Agent, vec!["databricks:ml-eng"]),
                "{word}"
            );
        }
    }
    let good = rule(AssertionAlgorithm::RS256, AssertionAudience::TokenEndpoint);
    let named = |name: &str| AssertionRule { name: KeyName::Id(name.into()), ..good.clone() };
    let rows = [
        ("another client's key", "agent-RS256", "PS256", good.clone()),
        ("a key under another id", "agent-RS256", "RS256", named("agent-2")),
        ("a client that is not registered", "agent-RS512", "RS256", good.clone()),
        ("another algorithm than is registered", "agent-RS256", "RS256", rule(AssertionAlgorithm::PS256, good.audience)),
        ("a key for a client that has a secret", "the agent:1", "RS256", good.clone()),
    ];
    for (what, id, key, rule) in rows {
        let Err(stop) = by_key(&case, id, &keys[key], rule) else { panic!("{what} is accepted") };
        let screen = stop.screen();
        assert_eq!((screen.reason.as_ref(), screen.exit.code()), ("issuer-credential-refused", 75), "{what}");
        assert!(screen.to_string().contains("presented error    invalid_client"), "{what}: {screen}");
    }
}

#[test]
fn an_algorithm_or_a_type_that_the_policy_does_not_name_is_refused() {
    let case = Case::honest();
    for (signed, _) in ALGORITHMS {
        let others = ALGORITHMS.iter().filter(|(name, _)| name != signed).map(|(_, algorithm)| *algorithm).collect();
        let issuer = OidcTrust { algorithms: others, ..case.issuer() };
        assert_eq!(case.with(issuer, &case.token(signed), |way| way.reason()), "algorithm-not-allowed", "{signed}");
    }
    let issuer = OidcTrust { types: BTreeSet::from(["jwt".to_owned()]), ..case.issuer() };
    assert_eq!(case.with(issuer, &case.token("RS256"), |way| way.reason()), "type-mismatch");
}

#[test]
fn a_token_for_another_audience_is_refused() {
    let case = Case::honest();
    assert_eq!(case.reason(&token(&case.provider.url, PRINCIPAL, "urn:elsewhere:RS256")), "audience-mismatch");
    let issuer = OidcTrust { audience: Audience::try_from("elsewhere").expect("an audience"), ..case.issuer() };
    assert_eq!(case.with(issuer, &case.token("RS256"), |way| way.reason()), "audience-mismatch");
}

#[test]
fn another_issuer_is_refused_whether_its_document_or_its_token_says_so() {
    let case = Case::honest();
    // The same provider under another name: its discovery document names the issuer that it is.
    let url = case.provider.url.replace("127.0.0.1", "localhost");
    let mut issuer = OidcTrust { issuer: Issuer::try_from(url.as_str()).expect("an issuer"), ..case.issuer() };
    issuer.jwks_hosts.insert(url.trim_start_matches("http://").to_owned());
    assert_eq!(case.with(issuer, &case.token("RS256"), |way| way.reason()), "discovery-mismatch");
    // Another issuer that holds the very same keys: the signature is good, the token is not ours.
    assert_eq!(case.reason(&token(&case.provider.other, PRINCIPAL, "urn:longhorn:RS256")), "issuer-mismatch");
}

#[test]
fn a_token_whose_key_was_rotated_away_is_refused_and_a_fresh_one_is_granted() {
    let mut case = Case::honest();
    let old: Vec<String> = ALGORITHMS.iter().map(|(algorithm, _)| case.token(algorithm)).collect();
    let before = case.provider.url.clone();
    case.rotate();
    assert_eq!(case.provider.url, before);
    for (token, (algorithm, _)) in old.iter().zip(ALGORITHMS) {
        assert_eq!(case.reason(token), "key-unknown", "{algorithm}");
        assert_eq!(case.reason(&case.token(algorithm)), "granted", "{algorithm}");
    }
}

#[test]
fn a_token_that_was_edited_is_refused_in_every_algorithm() {
    let case = Case::honest();
    for (algorithm, _) in ALGORITHMS {
        let token = case.token(algorithm);
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { panic!("not three parts: {token}") };
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
        let edited = String::from_utf8(claims.clone()).expect("text").replace("ml-engineers", "administrators");
        let mut flipped = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        let another = case.token(algorithm);
        let (_, borrowed) = another.rsplit_once('.').expect("a signature");
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let rows = [
            ("other groups", encode(edited.as_bytes()), signature.to_owned()),
            ("one bit of the signature", encode(&claims), encode(&flipped)),
            ("another token's signature", encode(&claims), borrowed.to_owned()),
            ("half a signature", encode(&claims), encode(&flipped[..middle])),
            ("no signature", encode(&claims), String::new()),
        ];
        for (what, claims, signature) in rows {
            assert_eq!(case.reason(&format!("{header}.{claims}.{signature}")), "signature-invalid", "{algorithm}: {what}");
        }
        assert_eq!(case.reason(&token), "granted", "{algorithm}: what was not edited stays good");
    }
}

#[test]
fn a_provider_that_is_gone_is_a_failure_and_never_a_refusal() {
    let mut case = Case::honest();
    let token = case.token("ES256");
    case.provider.end().expect("it ends");
    assert_eq!(case.reason(&token), "issuer-unavailable");
}
