//! `[trust]`: proof kinds that are required, and the issuers behind them; SAML providers are read in `read_saml`. Nothing here has a default.

use std::collections::{BTreeMap, BTreeSet};

use super::read_provider::provider as provider_of;
use super::read_saml::provider;
use super::reader::{At, Section};
use crate::identity::ids::{LocalName, PrincipalName, WorkspaceHost};
use crate::identity::trust::{Algorithm, KeyBinding, OidcTrust, ProofKind, SamlTrust, SubjectEquals, SubjectRule, Trust};

/// `[trust]` with the places of the references in it.
pub(super) struct PlacedTrust {
    pub(super) trust: Trust,
    pub(super) require: Vec<At<ProofKind>>,
    /// Names of issuers, also of those that did not read: whoever refers to one of them is not to blame.
    pub(super) named: BTreeSet<String>,
}

pub(super) fn trust(section: Section<'_>, workspaces: BTreeSet<WorkspaceHost>) -> PlacedTrust {
    let require = require(&section);
    if !require.iter().any(|kind| kind.value == ProofKind::Databricks) {
        let span = section.place("require").unwrap_or(section.span.clone());
        section.reader().error(
            span,
            "`require` must name databricks",
            "only the workspace says which cluster, run and principal this is",
        );
    }
    let mut oidc: BTreeMap<LocalName, OidcTrust> = BTreeMap::new();
    let mut named = BTreeSet::new();
    for body in section.tables("oidc") {
        let span = body.place("name").unwrap_or(body.span.clone());
        named.extend(body.text("name").map(|name| name.value));
        let Some(found) = issuer(body) else { continue };
        if oidc.contains_key(&found.name) {
            section.reader().error(span.clone(), format!("issuer `{}` is named twice", found.name), "");
        }
        let same = |other: &&OidcTrust| other.issuer == found.issuer && other.audience == found.audience;
        if let Some(other) = oidc.values().find(same).filter(|other| other.name != found.name) {
            section.reader().error(
                span,
                format!("`{}` and `{}` trust the same issuer for the same audience", other.name, found.name),
                "one token must not count as two proofs",
            );
        }
        oidc.entry(found.name.clone()).or_insert(found);
    }
    let saml = providers(&section, &oidc, &mut named);
    let node = section.table("node").map(super::read_node_trust::node);
    if node.is_none()
        && let Some(kind) = require.iter().find(|kind| kind.value == ProofKind::Node)
    {
        section.reader().error(kind.span.clone(), "there is no [trust.node]", "it says which cloud's word on a machine counts");
    }
    section.finish();
    let kinds = require.iter().map(|kind| kind.value.clone()).collect();
    PlacedTrust { trust: Trust { workspaces, require: kinds, oidc, saml, node: node.flatten() }, require, named }
}

fn providers(
    section: &Section<'_>,
    oidc: &BTreeMap<LocalName, OidcTrust>,
    named: &mut BTreeSet<String>,
) -> BTreeMap<LocalName, SamlTrust> {
    let mut saml: BTreeMap<LocalName, SamlTrust> = BTreeMap::new();
    for body in section.tables("saml") {
        let span = body.place("name").unwrap_or(body.span.clone());
        named.extend(body.text("name").map(|name| name.value));
        let Some(found) = provider(body) else { continue };
        // Their groups would have the same names.
        if saml.contains_key(&found.name) || oidc.contains_key(&found.name) {
            section.reader().error(span.clone(), format!("issuer `{}` is named twice", found.name), "");
        }
        let same = |other: &&SamlTrust| other.entity_id == found.entity_id && other.audience == found.audience;
        if let Some(other) = saml.values().find(same).filter(|other| other.name != found.name) {
            section.reader().error(
                span,
                format!("`{}` and `{}` trust the same provider for the same audience", other.name, found.name),
                "one assertion must not count as two proofs",
            );
        }
        saml.entry(found.name.clone()).or_insert(found);
    }
    saml
}

fn require(section: &Section<'_>) -> Vec<At<ProofKind>> {
    let mut found = Vec::new();
    for text in section.need_texts("require") {
        let kind = match text.value.split_once(':') {
            None if text.value == "databricks" => Some(ProofKind::Databricks),
            None if text.value == "node" => Some(ProofKind::Node),
            Some((kind @ ("oidc" | "saml"), name)) => match LocalName::try_from(name) {
                Ok(name) => Some(if kind == "oidc" { ProofKind::Oidc(name) } else { ProofKind::Saml(name) }),
                Err(error) => {
                    section.reader().error(text.span, format!("behind `{kind}:` {error}"), "");
                    continue;
                }
            },
            None | Some(_) => None,
        };
        match kind {
            Some(value) => found.push(At { value, span: text.span }),
            None => section.reader().error(
                text.span,
                format!("this version cannot check the proof kind `{}`", text.value),
                "known: databricks, node, oidc:<name>, saml:<name>",
            ),
        }
    }
    found
}

const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

fn issuer(section: Section<'_>) -> Option<OidcTrust> {
    let name = section.need_parsed::<LocalName>("name");
    not_databricks(&section, name.as_ref());
    let issuer = section.need_parsed("issuer");
    let audience = section.need_parsed("audience");
    let jwks_hosts = jwks_hosts(&section);
    let types = types(&section);
    let algorithms = algorithms(&section);
    let groups = section.text("groups").map(|text| text.value);
    let subject = section.need_table("subject").and_then(subject);
    let provider = provider_of(&section, issuer.as_ref(), audience.as_ref());
    let node_key = section.word("node-key", &KeyBinding::WORDS).map_or(KeyBinding::Unbound, |word| word.value);
    section.finish();
    Some(OidcTrust {
        name: name?.value,
        issuer: issuer?.value,
        jwks_hosts,
        audience: audience?.value,
        algorithms,
        types,
        groups,
        subject: subject?,
        provider: provider?,
        node_key,
    })
}

pub(super) fn not_databricks(section: &Section<'_>, name: Option<&At<LocalName>>) {
    if let Some(name) = name.filter(|name| name.value.as_str() == "databricks") {
        section.reader().error(
            name.span.clone(),
            "an issuer cannot be called databricks",
            "groups of that provider come from the workspace",
        );
    }
}

/// RFC 8725 §3.11: the type is part of what is trusted.
pub(super) fn types(section: &Section<'_>) -> BTreeSet<String> {
    (section.need_texts("types").into_iter())
        .filter_map(|word| {
            let lower = word.value.to_ascii_lowercase();
            let fits = (1..=64).contains(&lower.len())
                && lower.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte));
            if !fits {
                section.reader().error(word.span, "not a token type", "such as jwt or at+jwt, without `application/`");
            }
            fits.then_some(lower)
        })
        .collect()
}

/// `name` or `name:port`: where keys may be fetched from, whatever the issuer's discovery document says.
pub(super) fn jwks_hosts(section: &Section<'_>) -> BTreeSet<String> {
    let mut hosts = BTreeSet::new();
    for host in section.need_texts("jwks-hosts") {
        match WorkspaceHost::try_from(format!("https://{}", host.value).as_str()) {
            Ok(_) => {
                hosts.insert(host.value);
            }
            Err(_) => section.reader().error(
                host.span,
                "not a host: a lower-case DNS name or address with an optional port",
                "such as login.example.com, without https:// and path",
            ),
        }
    }
    hosts
}

pub(super) fn algorithms(section: &Section<'_>) -> BTreeSet<Algorithm> {
    let mut found = BTreeSet::new();
    for text in section.need_texts("algorithms") {
        let word = text.value.as_str();
        if let Some((_, algorithm)) = ALGORITHMS.iter().find(|(known, _)| *known == word) {
            found.insert(*algorithm);
        } else if word.eq_ignore_ascii_case("none") {
            section.reader().error(
                text.span,
                "`none` is no signature: anybody could write such a token",
                "name asymmetric algorithms (RFC 8725 §3.2)",
            );
        } else if word.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("hs")) {
            section.reader().error(
                text.span,
                format!("`{word}` is symmetric: whoever can check a token can write one"),
                "name asymmetric algorithms (RFC 8725 §2.1, §3.2)",
            );
        } else {
            let known: Vec<&str> = ALGORITHMS.iter().map(|(known, _)| *known).collect();
            section.reader().error(text.span, format!("unknown algorithm `{word}`"), format!("known: {}", known.join(", ")));
        }
    }
    found
}

/// Claims that a directory lets people change, or hands on (Entra ID: optional claims; Okta: profile mappings).
const MUTABLE: [&str; 5] = ["email", "name", "preferred_username", "unique_name", "upn"];

fn subject(section: Section<'_>) -> Option<SubjectRule> {
    let claim = section.need_text("claim");
    if let Some(empty) = claim.as_ref().filter(|claim| claim.value.is_empty()) {
        section.reader().error(empty.span.clone(), "`claim` is empty", "such as sub, oid or appid");
    }
    if let Some(claim) = claim.as_ref().filter(|claim| MUTABLE.contains(&claim.value.as_str())) {
        mutable(&section, claim.span.clone(), &claim.value);
    }
    let equals = equals(&section);
    section.finish();
    Some(SubjectRule { claim: claim?.value, equals: equals? })
}

pub(super) fn mutable(section: &Section<'_>, span: std::ops::Range<usize>, name: &str) {
    section.reader().warning(
        span,
        format!("`{name}` can be changed, or be given to somebody else"),
        "name one that stays with its bearer: oid of Entra ID, uid of Okta, a sub that the issuer never reuses",
    );
}

/// `equals`, with its `map` where it is one.
pub(super) fn equals(section: &Section<'_>) -> Option<SubjectEquals> {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        ApplicationId,
        UserName,
        Map,
    }
    let words =
        [("databricks.application-id", Kind::ApplicationId), ("databricks.user-name", Kind::UserName), ("map", Kind::Map)];
    let kind = section.need_word("equals", &words);
    let equals = match kind.as_ref()?.value {
        Kind::ApplicationId => Some(SubjectEquals::ApplicationId),
        Kind::UserName => Some(SubjectEquals::UserName),
        Kind::Map => map(section),
    };
    if kind.is_some_and(|kind| kind.value != Kind::Map)
        && let Some(span) = section.place("map")
    {
        section.reader().error(span, "`map` stands beside another rule and would say nothing", "write `equals = \"map\"`");
        section.known("map");
    }
    equals
}

fn map(section: &Section<'_>) -> Option<SubjectEquals> {
    if let Some(span) = section.holds_text("map") {
        section.reader().error(
            span,
            "`map` names a file, and the signature covers this file alone",
            "write the table here: map = { \"subject\" = \"user@example.com\" }",
        );
        section.known("map");
        return None;
    }
    section.refuse_empty("map");
    let table = section.need_table("map")?;
    let mut rows = BTreeMap::new();
    for (from, to) in table.named_texts() {
        if let Some(to) = table.convert::<PrincipalName>(&to) {
            rows.insert(from.value, to.value);
        }
    }
    Some(SubjectEquals::Map(rows))
}
