//! Whom each policy trusts. An issuer that is new makes all of it weaker; one that is gone, stronger.

use std::collections::BTreeSet;

use super::{Effect, Line, Lines, Subject, each, texts};
use crate::identity::entra::{EntraRules, Overage};
use crate::identity::ids::LocalName;
use crate::identity::trust::{
    KeyBinding, OidcTrust, Provider, SamlSubject, SamlSubjectRule, SamlTrust, SubjectEquals, SubjectRule, Trust,
};

pub(super) fn trust(old: &Trust, new: &Trust) -> Vec<Line> {
    let Trust { workspaces, require, oidc, saml, node } = new;
    let mut lines = Lines::of(Subject::Trust);
    lines.set("workspaces", &texts(&old.workspaces), &texts(workspaces), Effect::Gains);
    lines.set("require", &texts(&old.require), &texts(require), Effect::Stronger);
    super::node_trust::compare(&mut lines, old.node.as_ref(), node.as_ref());
    let mut found = lines.found;
    found.extend(each(&old.oidc, oidc, issuer));
    found.extend(each(&old.saml, saml, provider));
    found
}

/// As sets of statements, so that an issuer that one policy lacks needs no rule of its own.
fn issuer(name: &LocalName, old: Option<&OidcTrust>, new: Option<&OidcTrust>) -> Vec<Line> {
    let mut lines = Lines::of(Subject::Issuer(name.clone()));
    let (old, new) = (statements(old), statements(new));
    for ((key, effect, old), (_, _, new)) in old.iter().zip(&new) {
        lines.set(key, old, new, *effect);
    }
    lines.found
}

type Statements = Vec<(&'static str, Effect, BTreeSet<String>)>;

fn statements(trust: Option<&OidcTrust>) -> Statements {
    let none = BTreeSet::new;
    let Some(OidcTrust { name: _, issuer, jwks_hosts, audience, algorithms, types, groups, subject, provider, node_key }) = trust
    else {
        return rows([none(), none(), none(), none(), none(), none(), none(), none(), none(), none()]);
    };
    let SubjectRule { claim, equals } = subject;
    let (equals, map) = compared(equals);
    // All else of a provider follows from the issuer's name.
    let overage = match provider {
        Provider::Entra(EntraRules { tenant: _, version: _, overage: Overage::Graph(origin) }) => {
            texts([format!("graph at {origin}")])
        }
        Provider::Entra(_) | Provider::Standard | Provider::Okta => none(),
    };
    rows([
        texts([issuer]),
        texts([audience]),
        algorithms.iter().map(|algorithm| format!("{algorithm:?}")).collect(),
        jwks_hosts.clone(),
        types.clone(),
        texts(groups),
        texts([format!("{claim} equals {equals}")]),
        map,
        overage,
        KeyBinding::WORDS.iter().filter(|(_, known)| known == node_key).map(|(word, _)| (*word).to_owned()).collect(),
    ])
}

/// What a subject is compared with, and the rows of its map.
fn compared(equals: &SubjectEquals) -> (&'static str, BTreeSet<String>) {
    match equals {
        SubjectEquals::ApplicationId => ("databricks.application-id", BTreeSet::new()),
        SubjectEquals::UserName => ("databricks.user-name", BTreeSet::new()),
        SubjectEquals::Map(map) => ("map", map.iter().map(|(subject, principal)| format!("{subject} is {principal}")).collect()),
    }
}

fn provider(name: &LocalName, old: Option<&SamlTrust>, new: Option<&SamlTrust>) -> Vec<Line> {
    let mut lines = Lines::of(Subject::Issuer(name.clone()));
    let keys = [
        ("entity-id", Effect::Weaker),
        ("audience", Effect::Weaker),
        ("recipient", Effect::Weaker),
        ("certificates", Effect::Weaker),
        ("groups", Effect::Changed),
        ("subject", Effect::Changed),
        ("subject.map", Effect::Weaker),
    ];
    for ((key, effect), (old, new)) in keys.into_iter().zip(said(old).iter().zip(&said(new))) {
        lines.set(key, old, new, effect);
    }
    lines.found
}

fn said(trust: Option<&SamlTrust>) -> [BTreeSet<String>; 7] {
    let Some(SamlTrust { name: _, entity_id, audience, recipient, certificates, groups, subject }) = trust else {
        return Default::default();
    };
    let SamlSubjectRule { from, equals } = subject;
    let from = match from {
        SamlSubject::NameId(format) => format!("name-id {}", format.uri()),
        SamlSubject::Attribute(name) => format!("attribute {name}"),
    };
    let (equals, map) = compared(equals);
    let certificates = certificates.iter().map(|one| format!("sha256 {} until {}", one.sha256, one.not_after)).collect();
    [
        texts([entity_id]),
        texts([audience]),
        texts([recipient]),
        certificates,
        texts(groups),
        texts([format!("{from} equals {equals}")]),
        map,
    ]
}

/// What one more of each means. Which claim holds groups, and which the subject, is another rule, neither more nor less.
fn rows(sets: [BTreeSet<String>; 10]) -> Statements {
    let keys = [
        ("issuer", Effect::Weaker),
        ("audience", Effect::Weaker),
        ("algorithms", Effect::Weaker),
        ("jwks-hosts", Effect::Weaker),
        ("types", Effect::Weaker),
        ("groups", Effect::Changed),
        ("subject", Effect::Changed),
        ("subject.map", Effect::Weaker),
        ("overage", Effect::Weaker),
        ("node-key", Effect::Stronger),
    ];
    keys.into_iter().zip(sets).map(|((key, effect), set)| (key, effect, set)).collect()
}
