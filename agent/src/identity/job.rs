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
    /// Every node that the workspace lists in the cluster, driver and workers.
    pub members: BTreeSet<NodeAddress>,
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

/// A principal's name as it may stand on a screen, which log delivery copies: a person's does not. Who is meant, the
/// record's pseudonym says.
pub fn on_screen(name: &str) -> &str {
    if PrincipalKind::of(name) == PrincipalKind::User { "a user" } else { name }
}

impl NodeRole {
    /// The word in contexts and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Worker => "worker",
        }
    }
}

/// Whether clusters/get lists this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// Its address is among driver and executors.
    Listed,
    /// Not yet; the settings allow it to be listed within the lease.
    Provisional,
}

impl Membership {
    /// The word in contexts and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Provisional => "provisional",
        }
    }
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
        /// The job's name; any owner can edit it. Like tags and `locked` empty on a worker that did not ask for the job, because
        /// its policy chooses no scope by them (decision 0029).
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

impl PrincipalKind {
    /// What a name says of its bearer's kind, to know where to ask: a service principal's is a UUID, a user's is an
    /// address, anything else is a group's. What the workspace answers decides.
    pub fn of(name: &str) -> Self {
        let hyphen = |at| matches!(at, 8 | 13 | 18 | 23);
        let fits = |(at, byte): (usize, u8)| if hyphen(at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
        if name.len() == 36 && name.bytes().enumerate().all(fits) {
            Self::ServicePrincipal
        } else if name.contains('@') {
            Self::User
        } else {
            Self::Group
        }
    }

    /// The word in contexts and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServicePrincipal => "service-principal",
            Self::Group => "group",
        }
    }
}

/// One proof behind an identity, for context and record.
#[derive(Clone, Debug)]
pub struct ProofLine {
    /// `databricks`, `node`, `oidc:<name>` or `saml:<name>`.
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
    /// The machine that it runs on.
    Node,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_of_which_kind_its_bearer_is() {
        for (name, kind) in [
            ("7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c11", PrincipalKind::ServicePrincipal),
            ("ada@example.com", PrincipalKind::User),
            ("7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c1", PrincipalKind::Group),
            ("a-group-whose-name-has-36-characters", PrincipalKind::Group),
            ("data scientists", PrincipalKind::Group),
        ] {
            assert_eq!(PrincipalKind::of(name), kind, "{name}");
        }
    }
}
