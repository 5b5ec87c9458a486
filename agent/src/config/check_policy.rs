//! What must hold between the parts of a policy: references, and selectors that somebody else than the policy's author
//! could make match.

use std::collections::BTreeMap;

use super::read_policy::Placed;
use super::reader::{At, Reader};
use crate::decision::environment::Environment;
use crate::decision::policy::{Enforcement, JobSelector, Permission, Role, Scope};
use crate::identity::ids::LocalName;
use crate::identity::trust::{ProofKind, Trust};

pub(super) fn check(
    reader: &Reader,
    trust: &Trust,
    roles: &[(At<LocalName>, Role)],
    scopes: &[Placed],
    environments: &BTreeMap<LocalName, Environment>,
    enforcement: Option<&At<Enforcement>>,
) {
    for kind in &trust.require {
        if let ProofKind::Oidc(name) = kind
            && !trust.oidc.contains_key(name)
        {
            reader.error(0..0, format!("`require` names `{kind}` and there is no [[trust.oidc]] of that name"), "");
        }
    }
    for (name, role) in roles {
        for group in &role.groups {
            let provider = group.as_str().split(':').next().unwrap_or_default();
            if provider != "databricks" && !trust.oidc.keys().any(|known| known.as_str() == provider) {
                reader.error(
                    name.span.clone(),
                    format!("role `{}` names the group `{group}` of an unknown provider", name.value),
                    "known: databricks and the names of [[trust.oidc]]",
                );
            }
        }
    }
    for Placed { name, scope } in scopes {
        check_scope(reader, name, scope, roles, environments, enforcement);
    }
    ambiguous(reader, scopes);
}

fn check_scope(
    reader: &Reader,
    name: &At<LocalName>,
    scope: &Scope,
    roles: &[(At<LocalName>, Role)],
    environments: &BTreeMap<LocalName, Environment>,
    enforcement: Option<&At<Enforcement>>,
) {
    let error = |message: String, hint: &str| reader.error(name.span.clone(), message, hint);
    let scope_name = &name.value;
    for role in scope.run_by.iter().chain(&scope.deny) {
        if !roles.iter().any(|(known, _)| known.value == *role) {
            error(format!("scope `{scope_name}` names the role `{role}`, which is not defined"), "");
        }
    }
    if scope.run_by.is_empty() {
        error(format!("scope `{scope_name}` has no `run-by`: nobody may run it"), "name the roles that may");
    }
    if scope.jobs.is_none() && scope.clusters.is_none() {
        error(format!("scope `{scope_name}` has neither `jobs` nor `clusters`: it never matches"), "");
    }
    if let Some(jobs) = &scope.jobs {
        if jobs_empty(jobs) {
            error(format!("scope `{scope_name}` selects no job: `jobs` is empty"), "an empty selector matches nothing");
        }
        if !scope.clearance.is_empty() && editable(jobs) {
            error(
                format!("scope `{scope_name}` gives clearance to jobs by names or tags, which any job owner can edit"),
                "add `ids`, `run-as`, `locked = true` or `policy-ids`",
            );
        }
    }
    if scope.clusters.as_ref().is_some_and(|clusters| clusters.policy_ids.is_empty()) {
        error(format!("scope `{scope_name}` selects no cluster: `clusters.policy-ids` is empty"), "");
    }
    if !scope.may.contains(&Permission::Run) {
        reader.warning(name.span.clone(), format!("scope `{scope_name}` may not `run`: every job in it is refused"), "");
    }
    match environments.get(&scope.environment) {
        None => error(format!("scope `{scope_name}` names the environment `{}`, which is not defined", scope.environment), ""),
        Some(environment) => {
            let enforced = enforcement.is_some_and(|word| word.value == Enforcement::Enforce);
            if enforced && environment.targets.root.is_empty() {
                error(
                    format!("environment `{}` is to be enforced and has no `root` target", environment.name),
                    "name what starts the tree of user processes",
                );
            } else if enforced && !covers_engine(environment) && !environment.open.contains("jvm") {
                error(
                    format!(
                        "environment `{}` does not cover the engine (java): what the JVM starts would be free",
                        environment.name
                    ),
                    "cover it as a `root` target, or say `open = [\"jvm\"]` and see it in every context and record",
                );
            }
        }
    }
}

fn covers_engine(environment: &Environment) -> bool {
    environment.targets.root.iter().any(|path| path.file_name().is_some_and(|name| name == "java"))
}

fn jobs_empty(jobs: &JobSelector) -> bool {
    jobs.ids.is_empty()
        && jobs.names.is_empty()
        && jobs.tags.is_empty()
        && jobs.run_as.is_empty()
        && jobs.policy_ids.is_empty()
        && !jobs.locked
}

fn editable(jobs: &JobSelector) -> bool {
    jobs.ids.is_empty() && jobs.run_as.is_empty() && jobs.policy_ids.is_empty() && !jobs.locked
}

/// One job in two scopes is refused when it runs; where it can be seen already, it is said.
fn ambiguous(reader: &Reader, scopes: &[Placed]) {
    for (at, one) in scopes.iter().enumerate() {
        for other in &scopes[at + 1..] {
            let ids = |placed: &Placed| placed.scope.jobs.as_ref().map(|jobs| jobs.ids.clone()).unwrap_or_default();
            if let Some(shared) = ids(one).intersection(&ids(other)).next() {
                let message = format!("job {shared} is in the scopes `{}` and `{}`", one.name.value, other.name.value);
                reader.warning(
                    other.name.span.clone(),
                    message,
                    "a job that matches two scopes is refused unless another selector tells them apart",
                );
            }
        }
    }
}
