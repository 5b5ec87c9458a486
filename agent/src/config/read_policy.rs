//! Text to [`Policy`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::check_policy::check;
use super::problem::Problems;
use super::read_environment::environment;
use super::reader::{At, Reader, Section};
use crate::decision::policy::{
    ClusterSelector, Enforcement, Identities, JobSelector, LaunchRecording, Lifetimes, Permission, Policy, Role, Scope,
};
use crate::host::clock::Timestamp;
use crate::host::digest::sha256_hex;
use crate::identity::ids::{GroupName, LocalName, PrincipalName};
use crate::identity::trust::{Algorithm, OidcTrust, ProofKind, SubjectEquals, SubjectRule, Trust};

/// A scope with the place where it stands, for the checks that follow.
pub(super) struct Placed {
    pub(super) name: At<LocalName>,
    pub(super) scope: Scope,
}

/// Reads a policy; warnings come along.
///
/// # Errors
/// Every problem, when there is one that stops it from being used.
pub fn read_policy(file: &str, text: &str) -> Result<(Policy, Problems), Problems> {
    let reader = Reader::new(file, text);
    let table = reader.parse(text);
    let policy = root(reader.section(&table), text);
    let problems = reader.finish();
    match policy {
        Some(policy) if !problems.any_error() => Ok((policy, problems)),
        _ => Err(problems),
    }
}

fn root(root: Section<'_>, text: &str) -> Option<Policy> {
    let schema = root.need_number("schema");
    if let Some(At { value, span }) = schema.filter(|schema| schema.value != 1) {
        root.reader().error(span, format!("schema {value} is not known"), "this version reads schema 1");
    }
    let serial = root.need_number("serial");
    let not_after = not_after(&root);
    let enforcement = root.need_word("enforcement", &[("enforce", Enforcement::Enforce), ("observe", Enforcement::Observe)]);
    let identities = root.word("identities", &[("pseudonymous", Identities::Pseudonymous), ("clear", Identities::Clear)]);
    let workspaces: BTreeSet<_> = {
        root.need_texts("workspaces");
        root.list("workspaces").into_iter().map(|at: At<_>| at.value).collect()
    };
    if workspaces.is_empty() {
        root.reader().error(root.span.clone(), "`workspaces` names none", "a policy is bound to the workspaces it is for");
    }
    let trust = root.need_table("trust").and_then(|section| trust(section, workspaces));
    let roles = root.table("roles").map(roles).unwrap_or_default();
    let scopes = root.table("scopes").map(scopes).unwrap_or_default();
    let environments: BTreeMap<LocalName, _> = (root.table("environments").iter())
        .flat_map(Section::named)
        .filter_map(|(name, section)| {
            let name = section.convert::<LocalName>(&name)?.value;
            environment(name.clone(), section).map(|found| (name, found))
        })
        .collect();
    let launches = root.table("launches").map_or(LaunchRecording::Reported, |section| {
        let word = section.word("record", &[("reported", LaunchRecording::Reported)]);
        section.finish();
        word.map_or(LaunchRecording::Reported, |word| word.value)
    });
    let lifetimes = root.table("lease").map_or(LIFETIMES, lifetimes);
    let trust = trust?;
    check(root.reader(), &trust, &roles, &scopes, &environments, enforcement.as_ref());
    root.finish();
    Some(Policy {
        serial: serial?.value,
        not_after: not_after?,
        enforcement: enforcement?.value,
        identities: identities.map_or(Identities::Pseudonymous, |word| word.value),
        trust,
        roles: roles.into_iter().map(|(name, role)| (name.value, role)).collect(),
        scopes: scopes.into_iter().map(|placed| (placed.name.value, placed.scope)).collect(),
        environments,
        launches,
        lifetimes,
        digest: sha256_hex(text.as_bytes()),
    })
}

fn not_after(root: &Section<'_>) -> Option<Timestamp> {
    let Some(At { value, span }) = root.datetime("not-after") else {
        root.reader().error(
            root.span.clone(),
            "`not-after` is missing or no date",
            "a policy ends; write a date and time with an offset",
        );
        return None;
    };
    let text = value.to_string().replace(' ', "T");
    match time::OffsetDateTime::parse(&text, &time::format_description::well_known::Rfc3339) {
        Ok(parsed) => Some(Timestamp::from_seconds(parsed.unix_timestamp())),
        Err(_) => {
            root.reader().error(span, "`not-after` needs date, time and offset", "such as 2027-06-30T00:00:00Z");
            None
        }
    }
}

fn trust(section: Section<'_>, workspaces: BTreeSet<crate::identity::ids::WorkspaceHost>) -> Option<Trust> {
    let mut require = BTreeSet::new();
    for text in section.need_texts("require") {
        match text.value.split_once(':') {
            None if text.value == "databricks" => {
                require.insert(ProofKind::Databricks);
            }
            Some(("oidc", name)) => {
                if let Some(name) = section.convert::<LocalName>(&At { value: name.to_owned(), span: text.span.clone() }) {
                    require.insert(ProofKind::Oidc(name.value));
                }
            }
            _ => section.reader().error(
                text.span,
                format!("this version cannot check the proof kind `{}`", text.value),
                "known: databricks, oidc:<name>",
            ),
        }
    }
    if !require.contains(&ProofKind::Databricks) {
        section.reader().error(
            section.span.clone(),
            "`require` must name databricks",
            "only the workspace says which cluster, run and principal this is",
        );
    }
    let mut issuers = BTreeMap::new();
    for issuer in section.tables("oidc") {
        let span = issuer.span.clone();
        if let Some(found) = oidc(issuer)
            && let Some(before) = issuers.insert(found.name.clone(), found)
        {
            section.reader().error(span, format!("issuer `{}` is named twice", before.name), "");
        }
    }
    section.finish();
    Some(Trust { workspaces, require, oidc: issuers })
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

fn oidc(section: Section<'_>) -> Option<OidcTrust> {
    let name = section.need_parsed("name");
    let issuer = section.need_parsed("issuer");
    let audience = section.need_parsed("audience");
    let jwks_hosts: BTreeSet<String> = section.need_texts("jwks-hosts").into_iter().map(|host| host.value).collect();
    let types: BTreeSet<String> = section.need_texts("types").into_iter().map(|word| word.value.to_ascii_lowercase()).collect();
    let mut algorithms = BTreeSet::new();
    for text in section.need_texts("algorithms") {
        match ALGORITHMS.iter().find(|(word, _)| *word == text.value) {
            Some((_, algorithm)) => {
                algorithms.insert(*algorithm);
            }
            None if text.value.eq_ignore_ascii_case("none") || text.value.starts_with("HS") => {
                section.reader().error(
                    text.span,
                    format!("`{}` proves nothing about who signed", text.value),
                    "name asymmetric algorithms (RFC 8725 §3.1)",
                );
            }
            None => section.reader().error(text.span, format!("unknown algorithm `{}`", text.value), "known: RS256 … EdDSA"),
        }
    }
    for (key, empty) in
        [("jwks-hosts", jwks_hosts.is_empty()), ("types", types.is_empty()), ("algorithms", algorithms.is_empty())]
    {
        if empty {
            section.reader().error(section.span.clone(), format!("`{key}` is empty"), "an empty list accepts nothing");
        }
    }
    let groups = section.text("groups").map(|text| text.value);
    let subject = section.need_table("subject").and_then(subject);
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
    })
}

fn subject(section: Section<'_>) -> Option<SubjectRule> {
    #[derive(Clone, Copy)]
    enum Kind {
        ApplicationId,
        UserName,
        Map,
    }
    let claim = section.need_text("claim");
    let words =
        [("databricks.application-id", Kind::ApplicationId), ("databricks.user-name", Kind::UserName), ("map", Kind::Map)];
    let kind = section.need_word("equals", &words);
    let equals = match kind?.value {
        Kind::ApplicationId => Some(SubjectEquals::ApplicationId),
        Kind::UserName => Some(SubjectEquals::UserName),
        Kind::Map => section.need_table("map").map(|map| {
            let rows = map
                .named_texts()
                .into_iter()
                .filter_map(|(from, to)| Some((from.value, map.convert::<PrincipalName>(&to)?.value)));
            SubjectEquals::Map(rows.collect())
        }),
    };
    section.finish();
    Some(SubjectRule { claim: claim?.value, equals: equals? })
}

fn roles(section: Section<'_>) -> Vec<(At<LocalName>, Role)> {
    let role = |(name, role): (At<String>, Section<'_>)| {
        let name = role.convert::<LocalName>(&name);
        let groups: BTreeSet<GroupName> = role.list("groups").into_iter().map(|at: At<_>| at.value).collect();
        if groups.is_empty() {
            role.reader().error(role.span.clone(), "a role without groups is nobody's", "");
        }
        role.finish();
        Some((name?, Role { groups }))
    };
    section.named().into_iter().filter_map(role).collect()
}

fn scopes(section: Section<'_>) -> Vec<Placed> {
    section.named().into_iter().filter_map(|(name, body)| scope(&name, body)).collect()
}

fn scope(name: &At<String>, section: Section<'_>) -> Option<Placed> {
    let name = section.convert::<LocalName>(name);
    let jobs = section.table("jobs").map(jobs);
    let clusters = section.table("clusters").map(|clusters| {
        let policy_ids = clusters.list("policy-ids").into_iter().map(|at: At<_>| at.value).collect();
        clusters.finish();
        ClusterSelector { policy_ids }
    });
    let run_by: BTreeSet<LocalName> = section.list("run-by").into_iter().map(|at: At<_>| at.value).collect();
    let deny = section.list("deny").into_iter().map(|at: At<_>| at.value).collect();
    let mut may = BTreeSet::new();
    for text in section.texts("may") {
        match Permission::ALL.iter().find(|(_, word)| *word == text.value) {
            Some((permission, _)) => {
                may.insert(*permission);
            }
            None => {
                let known: Vec<&str> = Permission::ALL.iter().map(|(_, word)| *word).collect();
                section.reader().error(
                    text.span,
                    format!("unknown permission `{}`", text.value),
                    format!("known: {}", known.join(", ")),
                );
            }
        }
    }
    let environment = section.need_parsed("environment");
    let clearance = section.list("clearance").into_iter().map(|at: At<_>| at.value).collect();
    section.finish();
    let scope = Scope { jobs, clusters, run_by, deny, may, environment: environment?.value, clearance };
    Some(Placed { name: name?, scope })
}

fn jobs(section: Section<'_>) -> JobSelector {
    let found = JobSelector {
        ids: section.list("ids").into_iter().map(|at: At<_>| at.value).collect(),
        names: section.texts("names").into_iter().map(|at| at.value).collect(),
        tags: section
            .table("tags")
            .map(|tags| tags.named_texts().into_iter().map(|(key, value)| (key.value, value.value)).collect())
            .unwrap_or_default(),
        run_as: section.texts("run-as").into_iter().map(|at| at.value).collect(),
        locked: section.boolean("locked").unwrap_or(false),
        policy_ids: section.list("policy-ids").into_iter().map(|at: At<_>| at.value).collect(),
    };
    section.finish();
    found
}

/// Comfort: how long things live where the policy is silent.
pub const LIFETIMES: Lifetimes =
    Lifetimes { lease: Duration::from_secs(600), provisional: Duration::from_secs(120), context: Duration::from_secs(3600) };

fn lifetimes(section: Section<'_>) -> Lifetimes {
    let bounded = |key: &'static str, default: Duration, most: Duration| match section.duration(key) {
        None => default,
        Some(At { value, .. }) if Duration::from_secs(1) <= value && value <= most => value,
        Some(At { span, .. }) => {
            section.reader().error(span, format!("`{key}` must be from 1s to {}s", most.as_secs()), "");
            default
        }
    };
    let found = Lifetimes {
        lease: bounded("duration", LIFETIMES.lease, Duration::from_secs(3600)),
        provisional: bounded("provisional", LIFETIMES.provisional, Duration::from_secs(120)),
        context: bounded("context", LIFETIMES.context, Duration::from_secs(86_400)),
    };
    section.finish();
    found
}
