//! A policy that says something of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::decision::capability::Capability;
use crate::decision::compute::{Access, ClusterKind, Compute, Language, Logs, Script};
use crate::decision::environment::{
    Environment, Files, Floor, Kernel, Labelled, MetadataService, NamePattern, Targets, Variables,
};
use crate::decision::policy::{
    ClusterSelector, Enforcement, Identities, JobSelector, LaunchRecording, Lifetimes, Permission, Policy, Role, Scope,
};
use crate::host::clock::Timestamp;
use crate::identity::certificate::SigningCertificate;
use crate::identity::entra::{EntraRules, Overage, TokenVersion};
use crate::identity::node_trust::{AwsTrust, Certificate, NodeTrust};
use crate::identity::trust::{
    Algorithm, KeyBinding, NameIdFormat, OidcTrust, ProofKind, Provider, SamlSubject, SamlSubjectRule, SamlTrust, SubjectEquals,
    SubjectRule, Trust,
};

pub(super) fn id<'a, T: TryFrom<&'a str>>(text: &'a str) -> T
where
    T::Error: std::fmt::Debug,
{
    T::try_from(text).unwrap()
}

pub(super) fn set<T: Ord, const N: usize>(entries: [T; N]) -> BTreeSet<T> {
    BTreeSet::from(entries)
}

pub(super) fn environment_of(name: &str) -> Environment {
    Environment {
        name: id(name),
        preset: Some("linux".into()),
        variables: Variables {
            allow: set([NamePattern::Exact(id("HOME")), NamePattern::Prefix("FEATURE_".into())]),
            pin: BTreeMap::from([(id("TZ"), "UTC".to_owned()), (id("FEATURE_A"), "1".to_owned())]),
        },
        files: Files {
            read: set(["/etc".into()]),
            write: set(["/tmp".into()]),
            execute: set(["/usr".into()]),
            labelled: vec![Labelled { label: id("pii"), read: set(["/Volumes/pii".into()]) }],
            protect: set(["/usr/lib".into()]),
            mask: set(["/run/docker.sock".into()]),
        },
        kernel: Kernel {
            floor: Floor { landlock: 3, mount: true, capabilities: true, seccomp: true },
            keep_capabilities: set([Capability::keepable("KILL").unwrap()]),
            metadata_service: MetadataService::ClosedElsewhere,
        },
        targets: Targets { root: set(["/usr/bin/java".into()]), inside: set(["/usr/bin/python3".into()]) },
        open: BTreeSet::new(),
    }
}

pub(super) fn policy() -> Policy {
    let jobs = JobSelector {
        ids: set([id("1"), id("2")]),
        names: set(["nightly".to_owned()]),
        tags: BTreeMap::from([("team".to_owned(), "risk".to_owned())]),
        run_as: set(["p".to_owned()]),
        locked: true,
        policy_ids: set([id("P1")]),
    };
    let scope = Scope {
        jobs: Some(jobs),
        clusters: Some(ClusterSelector { policy_ids: set([id("C1")]) }),
        run_by: set([id("engineer")]),
        deny: set([id("contractor")]),
        may: set([Permission::Run]),
        environment: id("one"),
        clearance: set([id("pii")]),
    };
    let oidc = OidcTrust {
        name: id("okta"),
        issuer: id("https://a.example/x"),
        jwks_hosts: set(["a.example".to_owned()]),
        audience: id("longhorn"),
        algorithms: set([Algorithm::RS256]),
        types: set(["jwt".to_owned()]),
        groups: Some("groups".into()),
        subject: SubjectRule { claim: "sub".into(), equals: SubjectEquals::Map(BTreeMap::from([("s1".to_owned(), id("p1"))])) },
        provider: Provider::Entra(EntraRules {
            tenant: id("8eaef023-2b34-4da1-9baa-8bc8c9d6a490"),
            version: TokenVersion::V2,
            overage: Overage::Refuse,
        }),
        node_key: KeyBinding::Unbound,
    };
    let saml = SamlTrust {
        name: id("entra"),
        entity_id: id("https://idp.example/"),
        audience: id("longhorn"),
        recipient: "https://a.example/saml".into(),
        certificates: vec![certificate("one")],
        groups: Some("groups".into()),
        subject: SamlSubjectRule {
            from: SamlSubject::NameId(NameIdFormat::Persistent),
            equals: SubjectEquals::Map(BTreeMap::from([("s1".to_owned(), id("p1"))])),
        },
    };
    let compute = Compute {
        script: Script::Volume("/Volumes/x/init.sh".into()),
        clusters: ClusterKind::Job,
        access: Access::Dedicated,
        spark_versions: set(["16.4.x".to_owned()]),
        image: Some("i:1".into()),
        languages: set([Language::Python]),
        logs: Some(Logs { kind: "VOLUMES", path: "/Volumes/logs".into(), region: None }),
        tags: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
    };
    Policy {
        serial: 7,
        not_after: Timestamp::from_seconds(1_000_000),
        enforcement: Enforcement::Enforce,
        identities: Identities::Pseudonymous,
        trust: Trust {
            workspaces: set([id("https://w1.example")]),
            require: set([ProofKind::Databricks, ProofKind::Oidc(id("okta"))]),
            oidc: BTreeMap::from([(id("okta"), oidc)]),
            saml: BTreeMap::from([(id("entra"), saml)]),
            node: Some(NodeTrust::Aws(node_trust())),
        },
        roles: BTreeMap::from([(id("engineer"), Role { groups: set([id("okta:a")]) })]),
        scopes: BTreeMap::from([(id("training"), scope)]),
        environments: BTreeMap::from([(id("one"), environment_of("one")), (id("two"), environment_of("two"))]),
        compute: BTreeMap::from([(id("jobs"), compute)]),
        models: super::models::models(),
        launches: LaunchRecording::Reported,
        lifetimes: Lifetimes {
            lease: Duration::from_secs(600),
            provisional: Duration::from_secs(60),
            context: Duration::from_secs(3600),
        },
        digest: "d".into(),
    }
}

/// One certificate of Amazon's kind.
pub(super) fn node_trust() -> AwsTrust {
    let certificates = Certificate::from_pem(include_str!("region.pem")).unwrap();
    AwsTrust {
        accounts: set(["123456789012".to_owned()]),
        certificates: BTreeMap::from([("us-west-2".to_owned(), certificates)]),
        max_age: Duration::from_secs(900),
    }
}

/// One of two certificates that were made for this test, and whose keys are gone.
pub(super) fn certificate(which: &str) -> SigningCertificate {
    SigningCertificate::from_base64(if which == "one" { ONE } else { TWO }).unwrap()
}

const ONE: &str = "MIIBQjCB6KADAgECAgEBMAoGCCqGSM49BAMCMAAwHhcNMjYxMTI5MDkwMjQ0WhcNMzYxMTI2MDkwMjQ0WjAAMFkwEwYHKoZIzj0CAQYIKoZIzj\
    0DAQcDQgAENXRX1sJkK4sc7E7J1N1nZ4V+JS1DzHdE4VJqJ64+2nVSBTzLv124GQ2sC+yCp3s43L5p9tVrgjVGbecDqhDiO6NTMFEwHQYDVR0O\
    BBYEFCehtorrg/kmlCfrwHbfHxOzOi4JMB8GA1UdIwQYMBaAFCehtorrg/kmlCfrwHbfHxOzOi4JMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj\
    0EAwIDSQAwRgIhAKJZLjxE/rM//mxtFvdlbGjOwSz/9tjpgvgEA3fdFX1gAiEA5vQfFLrahDcelhafP9Fvu112y0Yw7OFL57XjbBUTWRU=";
const TWO: &str = "MIIBQDCB6KADAgECAgEBMAoGCCqGSM49BAMCMAAwHhcNMjYxMTI5MDkwMjQ0WhcNMzYxMTI2MDkwMjQ0WjAAMFkwEwYHKoZIzj0CAQYIKoZIzj\
    0DAQcDQgAEgDJPtwI1OG/gPI2qsHX3yBsCozF4w4Bpws49/FEFsoLmCPHuJsK7KxHClo7oVa4VuWnUzVL57c23DBJNG75dqaNTMFEwHQYDVR0O\
    BBYEFK8c7iG2urIV5EOvlvQxC+tynLfiMB8GA1UdIwQYMBaAFK8c7iG2urIV5EOvlvQxC+tynLfiMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj\
    0EAwIDRwAwRAIgD30qbd+Mhiwk4AuQWEUww36GcamL8w/JLHZrgYEo6nACIGmt2AySvjbzBW6lBOOmnSn3gkSsCsieH4o4nzUG4Ea3";
