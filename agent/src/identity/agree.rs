//! Agreement: all proofs speak of the same workspace, node, job and principal, and every kind that the policy requires is
//! there.

use std::collections::BTreeSet;

use super::agreement;
use super::ids::GroupName;
use super::job::{JobIdentity, Principal, PrincipalKind, ProofLine, SpeaksFor};
use super::node_document::NodeProof;
use super::refusal::Refusal;
use super::trust::{SubjectEquals, Trust};
use super::verified::{Basis, GotWith, Verified};
use super::verify::{DatabricksProof, Proof};
use crate::host::clock::Timestamp;

/// The one identity that all proofs agree on. Relied on until the first of them ends.
///
/// # Errors
/// When one is missing, has ended, or contradicts another.
pub fn agree(proofs: Vec<Verified<Proof>>, trust: &Trust, now: Timestamp) -> Result<Verified<JobIdentity>, Refusal> {
    let mut workspace: Option<(DatabricksProof, Basis)> = None;
    let mut spoken: Vec<(Spoken<'_>, Basis)> = Vec::new();
    let mut clouds: Vec<(NodeProof, Basis)> = Vec::new();
    for proof in proofs {
        if proof.at(now).is_none() {
            return Err(Refusal::ProofExpired(proof.basis().voucher.clone()));
        }
        match proof.into_parts() {
            (Proof::Databricks(found), basis) => workspace = Some((*found, basis)),
            (Proof::Oidc(found), basis) => {
                let rule = trust.oidc.get(&found.name).ok_or_else(|| Refusal::IssuerUnknown(found.name.to_string()))?;
                let kind = format!("oidc:{}", found.name);
                let (subject, equals) = (found.subject, &rule.subject.equals);
                spoken.push((Spoken { kind, subject, client: found.client, equals, groups: found.groups }, basis));
            }
            (Proof::Saml(found), basis) => {
                let rule = trust.saml.get(&found.name).ok_or_else(|| Refusal::IssuerUnknown(found.name.to_string()))?;
                let kind = format!("saml:{}", found.name);
                let (subject, equals) = (found.subject, &rule.subject.equals);
                spoken.push((Spoken { kind, subject, client: false, equals, groups: found.groups }, basis));
            }
            (Proof::Node(found), basis) => clouds.push((found, basis)),
        }
    }
    let (job, basis) = workspace.ok_or_else(|| Refusal::ProofMissing("databricks".into()))?;
    if !trust.workspaces.contains(&job.host) {
        let expected: Vec<&str> = trust.workspaces.iter().map(super::ids::WorkspaceHost::as_str).collect();
        return Err(Refusal::WorkspaceMismatch { expected: expected.join(", "), presented: job.host.to_string() });
    }
    let mut lines = vec![ProofLine { kind: "databricks".into(), basis: basis.clone(), speaks_for: SpeaksFor::Job }];
    for (proof, basis) in clouds {
        agreement::check(&job, &proof)?;
        lines.push(ProofLine { kind: "node".into(), basis, speaks_for: SpeaksFor::Node });
    }
    let mut groups = job.groups;
    for (proof, basis) in spoken {
        let speaks_for = speaks_for(&proof, basis.got_with, &job.principal)?;
        if speaks_for == SpeaksFor::Job {
            groups.extend(proof.groups);
        }
        lines.push(ProofLine { kind: proof.kind, basis, speaks_for });
    }
    for kind in &trust.require {
        if !lines.iter().any(|line| line.kind == kind.to_string()) {
            return Err(Refusal::ProofMissing(kind.to_string()));
        }
    }
    let good_until = lines.iter().map(|line| line.basis.good_until).min().unwrap_or(now);
    let identity = JobIdentity {
        workspace: job.host,
        cluster: job.cluster,
        node: job.node,
        role: job.role,
        membership: job.membership,
        workload: job.workload,
        principal: job.principal,
        groups,
        compute_policy: job.compute_policy,
        members: job.members,
        proofs: lines,
    };
    Ok(Verified::new(identity, Basis { good_until, checked: now, ..basis }))
}

/// What an issuer of tokens or assertions says of a subject.
struct Spoken<'t> {
    /// Of the proof's line: `oidc:<name>`, `saml:<name>`.
    kind: String,
    subject: String,
    /// Whether the subject is the client that asked, and not whom it asked for.
    client: bool,
    equals: &'t SubjectEquals,
    groups: BTreeSet<GroupName>,
}

/// A token that names the job's principal speaks for the job. One that names its own client instead proves the agent; its
/// groups are the agent's and give the job nothing. Anything else is somebody else's token. A cloud's token speaks of the
/// machine's own identity, whomever it names: every job on such machines would have the same.
fn speaks_for(proof: &Spoken<'_>, got_with: GotWith, principal: &Principal) -> Result<SpeaksFor, Refusal> {
    if got_with == GotWith::CloudToken {
        return Ok(SpeaksFor::Agent);
    }
    let name = principal.name.as_str();
    match (agreement::subject::same(proof.equals, &proof.subject, principal), proof.client) {
        (true, _) => Ok(SpeaksFor::Job),
        (false, true) => Ok(SpeaksFor::Agent),
        (false, false) => {
            // A person's name does not go onto a screen that log delivery copies; who is meant, the record's pseudonym says.
            let expected =
                if principal.kind == PrincipalKind::User { "the user that the job runs as".to_owned() } else { name.to_owned() };
            let presented = if proof.subject.contains('@') { "another user".to_owned() } else { proof.subject.clone() };
            Err(Refusal::SubjectMismatch { expected, presented })
        }
    }
}
