//! The job's identity: what all proofs together say.

use std::collections::BTreeSet;

use super::Basis;
use super::ids::{ClusterId, ComputePolicyId, GroupName, JobId, NodeAddress, PrincipalName, RunId, WorkspaceHost};

/// Who the job is, agreed on by every proof.
#[derive(Clone, Debug)]
pub struct JobIdentity {
    /// The workspace that the settings name and the evidence comes from.
    pub workspace: WorkspaceHost,
    /// The cluster.
    pub cluster: ClusterId,
    /// This node.
    pub node: NodeAddress,
    /// Driver or worker.
    pub role: NodeRole,
    /// Whether the workspace already lists this node in the cluster.
    pub membership: Membership,
    /// What runs on it.
    pub workload: Workload,
    /// On whose behalf.
    pub principal: Principal,
    /// Groups of the principal, each with the provider that vouches for it.
    pub groups: BTreeSet<GroupName>,
    /// The compute policy that the cluster was made under.
    pub compute_policy: Option<ComputePolicyId>,
    /// The proofs behind this, one line each.
    pub proofs: Vec<ProofLine>,
}

/// The node's part in its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeRole {
    /// It runs the Spark driver.
    Driver,
    /// It runs executors.
    Worker,
}

/// Whether clusters/get lists this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// Its address is among driver and executors.
    Listed,
    /// Not yet; the settings allow it to be listed within the lease.
    Provisional,
}

/// What runs on the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workload {
    /// A job cluster.
    Job {
        /// The job.
        job: JobId,
        /// Its run.
        run: RunId,
        /// The job's name; any owner can edit it.
        name: String,
        /// The job's tags; any owner can edit them.
        tags: Vec<(String, String)>,
        /// Whether the job is a bundle deployment that its owners cannot edit in the workspace (`UI_LOCKED`).
        locked: bool,
    },
    /// An all-purpose cluster: neither job nor run.
    Interactive,
}

/// Who a job runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// A person, a service principal, or a group (group-dedicated clusters).
    pub kind: PrincipalKind,
    /// The name by which the workspace knows it: user name, application id, or group name.
    pub name: PrincipalName,
}

/// The kind of a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// A person: pseudonymous in records and contexts.
    User,
    /// A service principal; its application id is not a person.
    ServicePrincipal,
    /// A group to which a cluster is dedicated.
    Group,
}

/// One proof behind an identity, for context and record.
#[derive(Clone, Debug)]
pub struct ProofLine {
    /// `databricks`, or `oidc:<name>`.
    pub kind: String,
    /// On what it rests.
    pub basis: Basis,
    /// Whether the proof speaks for the job's principal or only for the agent (client credentials).
    pub speaks_for: SpeaksFor,
}

/// For whom a proof speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeaksFor {
    /// The job's principal.
    Job,
    /// The agent only.
    Agent,
}
