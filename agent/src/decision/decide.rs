//! The decision. Pure and total: the same policy, identity and time give the same answer, and there is always one.

use std::collections::BTreeSet;

use super::environment::MetadataService;
use super::grant::Grant;
use super::policy::{ClusterSelector, Enforcement, JobSelector, Permission, Policy, Role, Scope};
use super::refusal::Refusal;
use super::trace::Trace;
use crate::host::clock::Timestamp;
use crate::identity::ids::LocalName;
use crate::identity::job::{JobIdentity, PrincipalKind, ProofLine, SpeaksFor, Workload};
use crate::identity::trust::ProofKind;
use crate::identity::{GotWith, Verified};

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
        let mut trace = Trace::default();
        trace.note("identity", false, format!("its proofs were good until {}", identity.basis().good_until));
        return Decision { outcome: Err(Refusal::IdentityExpired), trace };
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

/// Every rule is looked at, so that the trace shows all that is in the way at once; the first in the way, in this order,
/// names the refusal.
fn rules(policy: &Policy, job: &JobIdentity, now: Timestamp, trace: &mut Trace) -> Result<Evaluated, Refusal> {
    let bound = bound(policy, job, now, trace);
    let proven = proven(policy, job, now, trace);
    let roles: BTreeSet<LocalName> =
        policy.roles.iter().filter(|(name, role)| has_role(name, role, job, trace)).map(|(name, _)| name.clone()).collect();
    let permitted = the_scope(policy, job, trace).and_then(|(name, scope)| {
        let permitted = permitted(policy, name, scope, &roles, trace);
        let alone = agent_alone(policy, name, scope, job, trace);
        permitted.and(alone).map(|()| name.clone())
    });
    bound.and(proven).and(permitted).map(|scope| Evaluated { roles, scope })
}

/// The policy holds now, and for this workspace.
fn bound(policy: &Policy, job: &JobIdentity, now: Timestamp, trace: &mut Trace) -> Result<(), Refusal> {
    let holds = trace.note("policy / not-after", now < policy.not_after, format!("it ends at {}", policy.not_after));
    let ours = policy.trust.workspaces.contains(&job.workspace);
    trace.note("policy / workspaces", ours, job.workspace.to_string());
    if !holds {
        return Err(Refusal::PolicyExpired(policy.not_after));
    }
    if !ours {
        return Err(Refusal::OtherWorkspace(job.workspace.to_string()));
    }
    Ok(())
}

/// Each required kind of proof is there, still good, and speaks for the job.
fn proven(policy: &Policy, job: &JobIdentity, now: Timestamp, trace: &mut Trace) -> Result<(), Refusal> {
    let mut missing = None;
    for kind in &policy.trust.require {
        let word = kind.to_string();
        let of_kind = || job.proofs.iter().filter(|proof| proof.kind == word);
        // Client credentials prove who the agent is. The workspace speaks for the job by itself, the cloud for the machine.
        let speaks = |proof: &&ProofLine| match kind {
            ProofKind::Databricks | ProofKind::Node => true,
            ProofKind::Oidc(_) | ProofKind::Saml(_) => proof.speaks_for == SpeaksFor::Job,
        };
        let good = |proof: &ProofLine| now < proof.basis.good_until;
        let why = match (of_kind().next(), of_kind().find(speaks), of_kind().filter(speaks).any(good)) {
            (Some(_), Some(_), true) => "present",
            (Some(_), Some(_), false) => "it is no longer good",
            (Some(_), None, _) => "it speaks for the agent, not for the job",
            (None, _, _) => "absent",
        };
        if !trace.note(format!("require / {word}"), why == "present", why) {
            missing.get_or_insert(Refusal::ProofMissing { kind: word, presented: why });
        }
    }
    missing.map_or(Ok(()), Err)
}

/// The one scope that covers the workload. Two are as bad as none: which of them was meant, nobody can say.
fn the_scope<'p>(policy: &'p Policy, job: &JobIdentity, trace: &mut Trace) -> Result<(&'p LocalName, &'p Scope), Refusal> {
    let matching: Vec<(&LocalName, &Scope)> =
        policy.scopes.iter().filter(|(name, scope)| covers(name, scope, job, trace)).collect();
    match matching[..] {
        [one] => Ok(one),
        [] => Err(Refusal::NoScope(workload(job))),
        [..] => Err(Refusal::AmbiguousScope(matching.iter().map(|(name, _)| name.to_string()).collect())),
    }
}

/// Deny wins; then one of the roles that may run it; then the scope's own permission; then there is something to run in.
fn permitted(
    policy: &Policy,
    name: &LocalName,
    scope: &Scope,
    roles: &BTreeSet<LocalName>,
    trace: &mut Trace,
) -> Result<(), Refusal> {
    let words = |set: &BTreeSet<LocalName>| set.iter().map(ToString::to_string).collect::<Vec<_>>();
    let denied = scope.deny.intersection(roles).next();
    let why = denied.map_or_else(|| "no role is denied".to_owned(), |role| format!("role {role} is denied"));
    trace.note(format!("scope {name} / deny"), denied.is_none(), why);
    let by = scope.run_by.intersection(roles).next();
    let why = by.map_or_else(|| format!("needs one of: {}", words(&scope.run_by).join(", ")), |role| format!("role {role}"));
    trace.note(format!("scope {name} / run-by"), by.is_some(), why);
    let may_run = scope.may.contains(&Permission::Run);
    trace.note(format!("scope {name} / may run"), may_run, "the scope's own permission");
    // The reader of policies refuses a dangling name; a policy from elsewhere must not slip through here.
    let environment = policy.environments.contains_key(&scope.environment);
    trace.note(format!("scope {name} / environment"), environment, scope.environment.to_string());
    if let Some(role) = denied {
        return Err(Refusal::RoleDenied(role.to_string()));
    }
    if by.is_none() {
        return Err(Refusal::RoleMissing { expected: words(&scope.run_by), presented: words(roles) });
    }
    if !may_run {
        return Err(Refusal::RunNotPermitted(name.to_string()));
    }
    if !environment {
        return Err(Refusal::EnvironmentUnknown(scope.environment.to_string()));
    }
    Ok(())
}

/// What the agent got with a cloud's token counts only where jobs cannot get one. Where nothing is locked nothing is closed
/// either: observing goes on, and the context says what enforcing would refuse.
fn agent_alone(policy: &Policy, name: &LocalName, scope: &Scope, job: &JobIdentity, trace: &mut Trace) -> Result<(), Refusal> {
    let by_cloud = job.proofs.iter().filter(|proof| proof.basis.got_with == GotWith::CloudToken);
    let proofs: Vec<String> = by_cloud.map(|proof| proof.kind.clone()).collect();
    let service = policy.environments.get(&scope.environment).map(|found| found.kernel.metadata_service).unwrap_or_default();
    let alone = proofs.is_empty() || service != MetadataService::Open;
    let why = match proofs.is_empty() {
        true => "nothing was got with a cloud's token".to_owned(),
        false => format!("{}; a cloud's token is behind {}", service.word(), proofs.join(", ")),
    };
    trace.note(format!("scope {name} / metadata-service"), alone, why);
    if alone || policy.enforcement == Enforcement::Observe {
        return Ok(());
    }
    Err(Refusal::MetadataOpen { environment: scope.environment.to_string(), proofs })
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
