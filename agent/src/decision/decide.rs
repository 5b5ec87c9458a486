//! The decision. Pure and total: the same policy, identity and time give the same answer, and there is always one.

use std::collections::BTreeSet;

use super::grant::Grant;
use super::policy::{ClusterSelector, JobSelector, Permission, Policy, Role, Scope};
use super::refusal::Refusal;
use super::trace::Trace;
use crate::host::clock::Timestamp;
use crate::identity::Verified;
use crate::identity::ids::LocalName;
use crate::identity::job::{JobIdentity, PrincipalKind, SpeaksFor, Workload};
use crate::identity::trust::ProofKind;

/// An answer with the reasons.
#[derive(Debug)]
pub struct Decision {
    /// Yes or no.
    pub outcome: Result<Grant, Refusal>,
    /// Every rule.
    pub trace: Trace,
}

/// What a policy would grant an identity, whether or not that identity was verified.
#[derive(Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// Roles that the groups give.
    pub roles: BTreeSet<LocalName>,
    /// The scope that matched.
    pub scope: LocalName,
}

/// Decides. Only a verified identity can be granted anything; this is the only maker of [`Grant`].
pub fn decide(policy: &Policy, identity: &Verified<JobIdentity>, now: Timestamp) -> Decision {
    let Some(job) = identity.at(now) else {
        return Decision { outcome: Err(Refusal::IdentityExpired), trace: Trace::default() };
    };
    let (outcome, trace) = evaluate(policy, job, now);
    let outcome = outcome.map(|found| {
        let scope = &policy.scopes[&found.scope];
        Grant {
            identity: job.clone(),
            roles: found.roles,
            permissions: scope.may.clone(),
            clearance: scope.clearance.clone(),
            environment: policy.environments[&scope.environment].clone(),
            scope: found.scope,
            enforcement: policy.enforcement,
            policy_serial: policy.serial,
            policy_digest: policy.digest.clone(),
            good_until: identity.basis().good_until.min(policy.not_after),
        }
    });
    Decision { outcome, trace }
}

/// The rules themselves, for `policy explain` as well.
pub fn evaluate(policy: &Policy, job: &JobIdentity, now: Timestamp) -> (Result<Evaluated, Refusal>, Trace) {
    let mut trace = Trace::default();
    let outcome = rules(policy, job, now, &mut trace);
    (outcome, trace)
}

fn rules(policy: &Policy, job: &JobIdentity, now: Timestamp, trace: &mut Trace) -> Result<Evaluated, Refusal> {
    if !trace.note("policy / not-after", now < policy.not_after, format!("it ends at {}", policy.not_after)) {
        return Err(Refusal::PolicyExpired(policy.not_after));
    }
    let bound = policy.trust.workspaces.contains(&job.workspace);
    if !trace.note("policy / workspaces", bound, job.workspace.to_string()) {
        return Err(Refusal::OtherWorkspace(job.workspace.to_string()));
    }
    for kind in &policy.trust.require {
        let proof = job.proofs.iter().find(|proof| proof.kind == kind.to_string());
        // Client credentials prove who the agent is. The workspace speaks for the job by itself.
        let speaks = proof.is_some_and(|proof| *kind == ProofKind::Databricks || proof.speaks_for == SpeaksFor::Job);
        let why = match (proof, speaks) {
            (Some(_), true) => "present",
            (Some(_), false) => "it speaks for the agent, not for the job",
            (None, _) => "absent",
        };
        if !trace.note(format!("require / {kind}"), speaks, why) {
            return Err(Refusal::ProofMissing(kind.to_string()));
        }
    }
    let roles: BTreeSet<LocalName> =
        policy.roles.iter().filter(|(name, role)| has_role(name, role, job, trace)).map(|(name, _)| name.clone()).collect();
    let matching: Vec<(&LocalName, &Scope)> =
        policy.scopes.iter().filter(|(name, scope)| covers(name, scope, job, trace)).collect();
    let [(name, scope)] = matching[..] else {
        return Err(if matching.is_empty() {
            Refusal::NoScope(workload(job))
        } else {
            Refusal::AmbiguousScope(matching.iter().map(|(name, _)| name.to_string()).collect())
        });
    };
    if let Some(denied) = scope.deny.intersection(&roles).next() {
        trace.note(format!("scope {name} / deny"), false, format!("role {denied} is denied"));
        return Err(Refusal::RoleDenied(denied.to_string()));
    }
    let may_run = scope.run_by.intersection(&roles).next();
    let words = |set: &BTreeSet<LocalName>| set.iter().map(ToString::to_string).collect::<Vec<_>>();
    if !trace.note(
        format!("scope {name} / run-by"),
        may_run.is_some(),
        may_run.map_or_else(|| format!("needs one of: {}", words(&scope.run_by).join(", ")), |role| format!("role {role}")),
    ) {
        return Err(Refusal::RoleMissing { expected: words(&scope.run_by), presented: words(&roles) });
    }
    if !trace.note(format!("scope {name} / may run"), scope.may.contains(&Permission::Run), "the scope's own permission") {
        return Err(Refusal::RunNotPermitted(name.to_string()));
    }
    if !policy.environments.contains_key(&scope.environment) {
        // The reader of policies refuses a dangling name; a policy from elsewhere must not slip through here.
        return Err(Refusal::NoScope(format!("environment {}", scope.environment)));
    }
    Ok(Evaluated { roles, scope: name.clone() })
}

fn has_role(name: &LocalName, role: &Role, job: &JobIdentity, trace: &mut Trace) -> bool {
    let by = role.groups.intersection(&job.groups).next();
    trace.note(
        format!("role {name}"),
        by.is_some(),
        by.map_or_else(|| "no group gives it".to_owned(), |group| format!("by group {group}")),
    )
}

fn covers(name: &LocalName, scope: &Scope, job: &JobIdentity, trace: &mut Trace) -> bool {
    let (hit, why) = match (&job.workload, &scope.jobs, &scope.clusters) {
        (Workload::Job { .. }, Some(selector), _) => selects_job(selector, job),
        (Workload::Interactive, _, Some(selector)) => selects_cluster(selector, job),
        (Workload::Job { .. }, None, _) => (false, "it has no `jobs`".to_owned()),
        (Workload::Interactive, _, None) => (false, "it has no `clusters`".to_owned()),
    };
    trace.note(format!("scope {name}"), hit, why)
}

/// Every condition that is given must hold; a selector without any condition selects nothing.
fn selects_job(selector: &JobSelector, job: &JobIdentity) -> (bool, String) {
    let Workload::Job { job: id, name, tags, locked, .. } = &job.workload else { return (false, "not a job".into()) };
    let principal = job.principal.name.as_str();
    let policy = job.compute_policy.as_ref();
    let conditions = [
        ((!selector.ids.is_empty()).then(|| selector.ids.contains(id)), "ids"),
        ((!selector.names.is_empty()).then(|| selector.names.contains(name)), "names"),
        (
            (!selector.tags.is_empty())
                .then(|| selector.tags.iter().all(|(key, value)| tags.contains(&(key.clone(), value.clone())))),
            "tags",
        ),
        (
            (!selector.run_as.is_empty())
                .then(|| job.principal.kind != PrincipalKind::Group && selector.run_as.contains(principal)),
            "run-as",
        ),
        (selector.locked.then_some(*locked), "locked"),
        (
            (!selector.policy_ids.is_empty()).then(|| policy.is_some_and(|policy| selector.policy_ids.contains(policy))),
            "policy-ids",
        ),
    ];
    if let Some((_, missed)) = conditions.iter().find(|(held, _)| *held == Some(false)) {
        return (false, format!("`jobs.{missed}` does not match"));
    }
    let held: Vec<&str> = conditions.iter().filter(|(held, _)| *held == Some(true)).map(|(_, word)| *word).collect();
    if held.is_empty() { (false, "its selector is empty".into()) } else { (true, format!("by {}", held.join(", "))) }
}

fn selects_cluster(selector: &ClusterSelector, job: &JobIdentity) -> (bool, String) {
    let hit = job.compute_policy.as_ref().is_some_and(|policy| selector.policy_ids.contains(policy));
    (hit, if hit { "by policy-ids".into() } else { "`clusters.policy-ids` does not match".into() })
}

fn workload(job: &JobIdentity) -> String {
    match &job.workload {
        Workload::Job { job: id, .. } => format!(
            "job {id}, run as {}",
            match job.principal.kind {
                PrincipalKind::User => "a user",
                PrincipalKind::ServicePrincipal => "a service principal",
                PrincipalKind::Group => "a group",
            }
        ),
        Workload::Interactive => format!("interactive cluster {}", job.cluster),
    }
}
