//! Promises towards SAML assertions: an honest one is understood in every form that the profile has; what is false is refused
//! by name. Each false assertion is a file of `tests/fixtures/saml`; assertions of providers that we did not write are in
//! `provider_saml.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longhorn::evidence::{Auth, Hints, Kept, SamlSource, Source, WorkspaceSource, gather};
use longhorn::host::clock::{Clock, SystemClock, Timestamp};
use longhorn::host::http::Http;
use longhorn::host::random::SystemRandomness;
use longhorn::host::retry::Deadline;
use longhorn::host::secret::Secret;
use longhorn::identity::certificate::SigningCertificate;
use longhorn::identity::ids::{Audience, EntityId, LocalName, WorkspaceHost};
use longhorn::identity::job::{JobIdentity, SpeaksFor};
use longhorn::identity::node_document::Occasion;
use longhorn::identity::trust::{NameIdFormat, ProofKind, SamlSubject, SamlSubjectRule, SamlTrust, SubjectEquals, Trust};
use longhorn::identity::{Metadata, Proof, Rules, SamlProof, Unproven, agree, verify};
use longhorn::unverified::Unverified;
use simulator::scenario::{CLUSTER, DRIVER, JOB, PRINCIPAL, RUN, Scenario};
use support::fixtures;
use support::saml::{Case, ENTITY, Provider, RECIPIENT};

mod support {
    #[path = "../support/fixtures.rs"]
    pub mod fixtures;
    #[path = "../support/saml.rs"]
    pub mod saml;
}

fn name() -> LocalName {
    LocalName::try_from("entra").expect("a name")
}

fn trust(provider: &Provider, case: &Case, workspace: &str) -> Trust {
    // All but `other` and `next`, which is of a policy to come.
    let all = || ["ended", "p256", "p384", "rsa"].map(str::to_owned).to_vec();
    let keys = case.certificates.clone().unwrap_or_else(all);
    let from = case.attribute.clone().map_or(SamlSubject::NameId(NameIdFormat::Persistent), SamlSubject::Attribute);
    let saml = SamlTrust {
        name: name(),
        entity_id: EntityId::try_from(ENTITY).expect("an entity"),
        audience: Audience::try_from("longhorn").expect("an audience"),
        recipient: RECIPIENT.to_owned(),
        certificates: keys.iter().map(|key| provider.certificate(key)).collect(),
        groups: (!case.no_groups).then(|| "groups".to_owned()),
        subject: SamlSubjectRule { from, equals: SubjectEquals::ApplicationId },
    };
    Trust {
        workspaces: BTreeSet::from([WorkspaceHost::try_from(workspace).expect("an origin")]),
        require: BTreeSet::from([ProofKind::Databricks, ProofKind::Saml(name())]),
        oidc: BTreeMap::new(),
        saml: BTreeMap::from([(name(), saml)]),
        node: None,
    }
}

/// What a run needs of the world, made once.
struct World {
    provider: Provider,
    http: Http,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        Self { provider: Provider::new(), http: Http::new(None).expect("TLS can be set up"), runtime }
    }

    fn gather(&self, sources: &[Source]) -> Vec<Unverified<longhorn::evidence::Claim>> {
        let (clock, random) = (SystemClock, SystemRandomness);
        let deadline = Deadline { clock: &clock, random: &random, end: clock.boot().plus(Duration::from_secs(5)) };
        self.runtime.block_on(gather(&self.http, sources, &deadline)).unwrap_or_else(|failure| panic!("{failure}"))
    }

    fn source(&self, case: &Case) -> Source {
        Source::Saml(SamlSource { name: name(), assertion: self.provider.file(case) })
    }

    /// What an assertion proves, and until when.
    fn prove(&self, case: &Case) -> Result<(SamlProof, Timestamp), Unproven> {
        let trust = trust(&self.provider, case, "https://dbc-1111.cloud.databricks.com");
        let now = Timestamp::from_seconds(SystemClock.now().seconds() + case.clock);
        let rules =
            Rules { trust: &trust, listed: true, period: Duration::from_secs(600), node_key: "", occasion: Occasion::Join, now };
        let claims = self.gather(&[self.source(case)]);
        let proof = verify(&claims[0], &rules)?;
        match proof.at(now) {
            Some(Proof::Saml(found)) => Ok((found.clone(), proof.basis().good_until)),
            _ => panic!("another proof, or one that has ended"),
        }
    }

    /// The whole way, with a workspace.
    fn walk(&self, case: &Case) -> Result<JobIdentity, String> {
        let simulator = simulator::start(Scenario::honest()).expect("the simulator starts");
        let variables = BTreeMap::from([
            ("DB_CLUSTER_ID", CLUSTER.to_owned()),
            ("DB_CONTAINER_IP", DRIVER.to_owned()),
            ("DB_IS_DRIVER", "TRUE".to_owned()),
            ("DB_CLUSTER_NAME", format!("job-{JOB}-run-{RUN}-main")),
        ]);
        let workspace = WorkspaceSource {
            host: WorkspaceHost::try_from(simulator.url()).expect("an origin"),
            auth: Auth::MachineToMachine { client_id: "agent".into(), secret: Secret::new(b"agent-secret").expect("a secret") },
            hints: Hints::from_variables(|name| variables.get(name).cloned()).expect("the hints are there"),
            by_job: true,
            granted: Kept::default(),
        };
        let trust = trust(&self.provider, case, simulator.url());
        let now = SystemClock.now();
        let rules =
            Rules { trust: &trust, listed: true, period: Duration::from_secs(600), node_key: "", occasion: Occasion::Join, now };
        let mut claims = self.gather(&[Source::Databricks(workspace)]);
        if case.times != Some(0) {
            claims.extend(self.gather(&[self.source(case)]));
        }
        let proofs = claims.iter().map(|claim| verify(claim, &rules)).collect::<Result<Vec<_>, _>>();
        let proofs = proofs.map_err(|unproven| unproven.screen().reason.into_owned())?;
        let agreed = agree(proofs, &trust, now).map_err(|refusal| refusal.reason().to_owned())?;
        Ok(agreed.at(now).expect("it is fresh").clone())
    }
}

fn read(text: &str) -> Case {
    toml::from_str(text).unwrap_or_else(|error| panic!("not a case: {error}"))
}

fn groups(proof: &SamlProof) -> Vec<&str> {
    proof.groups.iter().map(|group| group.as_str()).collect()
}

#[test]
fn every_false_assertion_is_refused_for_its_own_reason() {
    let world = World::new();
    fixtures::check("saml", |file, bytes| {
        let case = read(std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{file} is not text")));
        match world.prove(&case) {
            Ok((proof, _)) => {
                let expected: &[&str] = if case.no_groups { &[] } else { &["entra:ml-engineers"] };
                let honest = proof.subject == PRINCIPAL && groups(&proof) == expected;
                (
                    if honest { "granted".into() } else { format!("granted to {} with {:?}", proof.subject, proof.groups) },
                    String::new(),
                )
            }
            Err(unproven) => {
                let screen = unproven.screen();
                let shown = fixtures::steady(&screen.to_string(), "", "");
                (format!("{}, exit {}", screen.reason, screen.exit.code()), shown)
            }
        }
    });
}

#[test]
fn an_assertion_proves_the_job_and_its_groups() {
    let identity = World::new().walk(&Case::default()).expect("an honest assertion is believed");
    let groups: Vec<&str> = identity.groups.iter().map(|group| group.as_str()).collect();
    assert_eq!(groups, ["databricks:ml-eng", "entra:ml-engineers"]);
    let line = &identity.proofs[1];
    assert_eq!((line.kind.as_str(), line.speaks_for, line.basis.voucher.as_str()), ("saml:entra", SpeaksFor::Job, ENTITY));
}

#[test]
fn an_assertion_of_another_principal_is_refused_and_names_no_person() {
    let world = World::new();
    let edit = |to: &str| read(&format!("[[edit]]\nat = \"assertion\"\nfrom = \"@PRINCIPAL@\"\nto = \"{to}\"\n"));
    assert_eq!(world.walk(&edit("00000000-0000-4000-8000-000000000000")).expect_err("another principal"), "subject-mismatch");
    assert_eq!(world.walk(&edit("ada@example.com")).expect_err("a person"), "subject-mismatch");
    // A job whose policy requires an assertion does not start without one.
    assert_eq!(world.walk(&Case { times: Some(0), ..Case::default() }).expect_err("no assertion"), "proof-missing");
}

#[test]
fn the_first_of_all_ends_of_an_assertion_is_its_end() {
    let world = World::new();
    let ends = |case: &str| {
        let (_, until) = world.prove(&read(case)).unwrap_or_else(|unproven| panic!("{}", unproven.screen()));
        until.seconds() - SystemClock.now().seconds()
    };
    let edit = |from: &str, to: &str| format!("[[edit]]\nat = \"assertion\"\nfrom = '{from}'\nto = '{to}'\n");
    // Each with the 30 seconds by which clocks may differ; the test itself takes some.
    let rows = [
        ("confirmation", String::new(), 630),
        ("conditions", edit("NotOnOrAfter=\"@NOW+3600@\"", "NotOnOrAfter=\"@NOW+300@\""), 330),
        ("session", edit("AuthnInstant=\"@NOW@\"", "AuthnInstant=\"@NOW@\" SessionNotOnOrAfter=\"@NOW+120@\""), 150),
    ];
    for (what, case, expected) in rows {
        let left = ends(&case);
        assert!((expected - 10..=expected).contains(&left), "{what}: {left} s are left");
    }
}

#[test]
fn two_certificates_may_sign_while_the_provider_changes_from_one_to_the_next() {
    let world = World::new();
    let case = read("key = \"next\"");
    assert_eq!(world.prove(&case).map(drop).expect_err("not yet of the policy").screen().reason, "signature-invalid");
    let mut changed = trust(&world.provider, &case, "https://dbc-1111.cloud.databricks.com");
    let saml = changed.saml.get_mut(&name()).expect("it is there");
    saml.certificates = vec![world.provider.certificate("rsa"), world.provider.certificate("next")];
    let now = SystemClock.now();
    let rules =
        Rules { trust: &changed, listed: true, period: Duration::from_secs(600), node_key: "", occasion: Occasion::Join, now };
    for (key, place) in [("rsa", 0), ("next", 1)] {
        let case = read(&format!("key = \"{key}\""));
        let claims = world.gather(&[world.source(&case)]);
        let proof = verify(&claims[0], &rules).unwrap_or_else(|unproven| panic!("{}", unproven.screen()));
        let certificate = &changed.saml[&name()].certificates[place].sha256;
        assert_eq!(proof.basis().key.as_ref(), Some(certificate), "the proof names the certificate that signed");
    }
}

#[test]
fn no_byte_of_a_signed_assertion_can_be_changed() {
    let world = World::new();
    let honest = world.provider.file(&Case { document: Some("@ASSERTION@".into()), ..Case::default() });
    let trust = trust(&world.provider, &Case::default(), "https://dbc-1111.cloud.databricks.com");
    let now = SystemClock.now();
    let rules =
        Rules { trust: &trust, listed: true, period: Duration::from_secs(600), node_key: "", occasion: Occasion::Join, now };
    let sources: Vec<Source> = (0..honest.len())
        .map(|at| {
            let mut assertion = honest.clone();
            assertion[at] ^= 1;
            Source::Saml(SamlSource { name: name(), assertion })
        })
        .collect();
    let mut accepted = Vec::new();
    for (at, claim) in world.gather(&sources).iter().enumerate() {
        if verify(claim, &rules).is_ok() {
            accepted.push(String::from_utf8_lossy(&honest[at.saturating_sub(10)..at + 10]).into_owned());
        }
    }
    assert!(accepted.is_empty(), "changed and believed: {accepted:?}");
}

#[test]
fn an_assertion_that_is_cut_anywhere_is_refused_and_nothing_panics() {
    let world = World::new();
    let honest = world.provider.file(&Case::default());
    let trust = trust(&world.provider, &Case::default(), "https://dbc-1111.cloud.databricks.com");
    let now = SystemClock.now();
    let rules =
        Rules { trust: &trust, listed: true, period: Duration::from_secs(600), node_key: "", occasion: Occasion::Join, now };
    let cut = |length: usize| Source::Saml(SamlSource { name: name(), assertion: honest[..length].to_vec() });
    let sources: Vec<Source> = (0..=honest.len()).map(cut).collect();
    let good = world.gather(&sources).iter().map(|claim| verify(claim, &rules).is_ok()).filter(|good| *good).count();
    assert_eq!(good, 1, "the whole one alone");
}

#[test]
fn the_manual_names_every_reason_that_an_assertion_is_refused_for() {
    let manual = std::fs::read_to_string(fixtures::folder("../../agent/manual").join("saml.md")).expect("the manual is there");
    let mut reasons = BTreeSet::new();
    for file in std::fs::read_dir(fixtures::folder("saml")).expect("the fixtures are there") {
        let text = std::fs::read_to_string(file.expect("a folder lists").path()).expect("a fixture reads");
        let promised = text.lines().next().and_then(|first| first.strip_prefix("# expect: "));
        reasons.extend(promised.and_then(|promised| promised.strip_suffix(", exit 77")).map(str::to_owned));
    }
    assert!(reasons.len() > 40, "{reasons:?}");
    for reason in reasons {
        assert!(manual.contains(&format!("`{reason}`")), "the manual does not say what to do about {reason}");
    }
}

#[test]
fn a_certificate_and_metadata_that_are_cut_anywhere_are_refused_and_nothing_panics() {
    let pem = Provider::new().certificate("p384").to_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    assert!((0..pem.trim_ascii().len()).all(|length| SigningCertificate::from_pem(&pem[..length]).is_err()));
    assert!((0..body.len()).all(|length| SigningCertificate::from_base64(&body[..length]).is_err()));
    let metadata = format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{ENTITY}\"><IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><KeyDescriptor><KeyInfo \
         xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data><X509Certificate>{body}</X509Certificate></X509Data></KeyInfo>\
         </KeyDescriptor></IDPSSODescriptor></EntityDescriptor>"
    );
    let read = Metadata::read(metadata.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.certificates, [SigningCertificate::from_pem(&pem).expect("the whole one")]);
    assert!((0..metadata.len()).all(|length| Metadata::read(&metadata.as_bytes()[..length]).is_err()));
}
