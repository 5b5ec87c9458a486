//! What must hold between the parts of a policy: references, and selectors that somebody else than the policy's author
//! could make match.

use std::collections::{BTreeMap, BTreeSet};

use super::read_models::PlacedModels;
use super::read_scopes::{PlacedRole, PlacedScope};
use super::read_trust::PlacedTrust;
use super::reader::{At, Reader};
use crate::decision::environment::Environment;
use crate::decision::policy::JobSelector;
use crate::identity::ids::{JobId, LocalName};
use crate::identity::trust::ProofKind;

/// An environment with the place of its name; `None` when it did not read.
pub(super) struct PlacedEnvironment {
    pub(super) name: At<LocalName>,
    pub(super) environment: Option<Environment>,
}

/// The parts, as far as they read.
pub(super) struct Parts<'a> {
    pub(super) trust: Option<&'a PlacedTrust>,
    pub(super) roles: &'a [PlacedRole],
    pub(super) scopes: &'a [PlacedScope],
    pub(super) environments: &'a [PlacedEnvironment],
    pub(super) models: &'a PlacedModels,
    /// Whether `enforcement = "enforce"`.
    pub(super) enforced: bool,
}

pub(super) fn check(reader: &Reader, parts: &Parts<'_>) {
    if let Some(trust) = parts.trust {
        check_providers(reader, trust, parts.roles);
    }
    let roles: BTreeSet<&LocalName> = parts.roles.iter().map(|role| &role.name.value).collect();
    let environments: BTreeMap<&LocalName, &PlacedEnvironment> =
        parts.environments.iter().map(|placed| (&placed.name.value, placed)).collect();
    let mut used = BTreeSet::new();
    for placed in parts.scopes {
        for role in placed.roles.iter().filter(|role| !roles.contains(&role.value)) {
            reader.error(role.span.clone(), format!("there is no role `{}`", role.value), known(roles.iter().copied()));
        }
        let environment = &placed.environment;
        used.insert(&environment.value);
        if !environments.contains_key(&environment.value) {
            let hint = known(environments.keys().copied());
            reader.error(environment.span.clone(), format!("there is no environment `{}`", environment.value), hint);
        }
        if placed.scope.jobs.as_ref().is_some_and(editable) {
            reader.error(
                placed.clearance.clone().unwrap_or_else(|| placed.name.span.clone()),
                "these jobs match by names or tags, which any job owner can edit",
                "add `ids`, `run-as` or `locked = true` to `jobs`",
            );
        }
    }
    let scopes: BTreeSet<&LocalName> = parts.scopes.iter().map(|scope| &scope.name.value).collect();
    for scope in parts.models.scopes.iter().filter(|scope| !scopes.contains(&scope.value)) {
        reader.error(scope.span.clone(), format!("there is no scope `{}`", scope.value), known(scopes.iter().copied()));
    }
    for role in parts.models.roles.iter().filter(|role| !roles.contains(&role.value)) {
        reader.error(role.span.clone(), format!("there is no role `{}`", role.value), known(roles.iter().copied()));
    }
    let approvers = &parts.models.models.approvers;
    for name in parts.models.approvers.iter().filter(|name| !approvers.contains_key(&name.value)) {
        reader.error(name.span.clone(), format!("there is no [approvers.{}] that reads", name.value), known(approvers.keys()));
    }
    if parts.enforced {
        used.iter().filter_map(|name| environments.get(*name)).for_each(|placed| check_targets(reader, placed));
    }
    ambiguous(reader, parts.scopes);
}

fn check_providers(reader: &Reader, placed: &PlacedTrust, roles: &[PlacedRole]) {
    let (issuers, providers) = (&placed.trust.oidc, &placed.trust.saml);
    for kind in &placed.require {
        let (table, name, other, names) = match &kind.value {
            // Whether the policy trusts a cloud at all was asked where it was read.
            ProofKind::Databricks | ProofKind::Node => continue,
            ProofKind::Oidc(name) => {
                ("oidc", name, providers.contains_key(name) && !issuers.contains_key(name), known(issuers.keys()))
            }
            ProofKind::Saml(name) => {
                ("saml", name, issuers.contains_key(name) && !providers.contains_key(name), known(providers.keys()))
            }
        };
        if other || !placed.named.contains(name.as_str()) {
            reader.error(kind.span.clone(), format!("there is no [[trust.{table}]] named `{name}`"), names);
        }
    }
    let says = issuers.iter().map(|(name, issuer)| (name, "oidc", issuer.groups.is_some()));
    let says = says.chain(providers.iter().map(|(name, provider)| (name, "saml", provider.groups.is_some())));
    let says: BTreeMap<&str, (&str, bool)> = says.map(|(name, table, groups)| (name.as_str(), (table, groups))).collect();
    for group in roles.iter().flat_map(|role| &role.groups) {
        let provider = group.value.as_str().split(':').next().unwrap_or_default();
        match says.get(provider) {
            Some((_, true)) => {}
            Some((table, false)) => reader.error(
                group.span.clone(),
                format!("no token of `{provider}` says which groups somebody is in"),
                format!("name the claim: `groups = \"…\"` in its [[trust.{table}]]"),
            ),
            None if provider == "databricks" || placed.named.contains(provider) => {}
            None => reader.error(
                group.span.clone(),
                format!("nobody vouches for groups of `{provider}`"),
                "known: databricks and the names of [[trust.oidc]] and [[trust.saml]]",
            ),
        }
    }
}

fn known<'a>(names: impl Iterator<Item = &'a LocalName>) -> String {
    let names: Vec<&str> = names.map(LocalName::as_str).take(20).collect();
    if names.is_empty() { "none is defined".to_owned() } else { format!("defined: {}", names.join(", ")) }
}

fn check_targets(reader: &Reader, placed: &PlacedEnvironment) {
    let Some(environment) = &placed.environment else { return };
    let name = &placed.name;
    if environment.targets.root.is_empty() {
        reader.error(
            name.span.clone(),
            format!("`{}` is to be enforced and has no `root` target", name.value),
            "name what starts the tree of user processes: targets = { root = [\"…\"] }",
        );
    } else if !covers_engine(environment) && !environment.open.contains("jvm") {
        reader.error(
            name.span.clone(),
            format!("`{}` does not cover the engine (java): what the JVM starts would be free", name.value),
            "cover it as a `root` target, or say `open = [\"jvm\"]` and see it in every context and record",
        );
    }
}

fn covers_engine(environment: &Environment) -> bool {
    environment.targets.root.iter().any(|path| path.file_name().is_some_and(|name| name == "java"))
}

/// Whether what any job owner can edit decides alone which jobs a selector means. A compute policy fixes the tags of
/// clusters, not those of jobs; without names and tags its id is for the workspace's administrators to give.
fn editable(jobs: &JobSelector) -> bool {
    (!jobs.names.is_empty() || !jobs.tags.is_empty()) && jobs.ids.is_empty() && jobs.run_as.is_empty() && !jobs.locked
}

/// One job in two scopes is refused when it runs; where it can be seen already, it is said.
fn ambiguous(reader: &Reader, scopes: &[PlacedScope]) {
    let mut first: BTreeMap<&JobId, &PlacedScope> = BTreeMap::new();
    for placed in scopes {
        for job in placed.scope.jobs.iter().flat_map(|jobs| &jobs.ids) {
            if let Some(other) = first.get(job) {
                reader.warning(
                    placed.name.span.clone(),
                    format!("job {job} is in the scopes `{}` and `{}`", other.name.value, placed.name.value),
                    "a job that matches two scopes is refused unless another condition tells them apart",
                );
            } else {
                first.insert(job, placed);
            }
        }
    }
}
