//! The policy as it was parsed and verified. `config` makes it; nothing here reads text.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::compute::Compute;
use super::environment::Environment;
use super::models::Models;
pub use super::permission::Permission;
use crate::host::clock::Timestamp;
use crate::identity::ids::{ComputePolicyId, GroupName, JobId, Label, LocalName};
use crate::identity::trust::Trust;

/// One signed policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Grows with every change; the settings pin the least one.
    pub serial: u64,
    /// After this the policy decides nothing.
    pub not_after: Timestamp,
    /// Enforce or observe.
    pub enforcement: Enforcement,
    /// Whether persons stand in records and contexts under pseudonyms.
    pub identities: Identities,
    /// Whom it trusts.
    pub trust: Trust,
    /// Roles: who has them.
    pub roles: BTreeMap<LocalName, Role>,
    /// Job scopes: what may be done.
    pub scopes: BTreeMap<LocalName, Scope>,
    /// Environments: what a scope's processes run in.
    pub environments: BTreeMap<LocalName, Environment>,
    /// Compute policies, for `longhorn policy render`.
    pub compute: BTreeMap<LocalName, Compute>,
    /// Registered models and the labels of data.
    pub models: Models,
    /// `[launches]`: how launches are recorded.
    pub launches: LaunchRecording,
    /// `[lease]`: how long a lease and a context live.
    pub lifetimes: Lifetimes,
    /// SHA-256 (hex) over the policy file's bytes.
    pub digest: String,
}

/// Whether the policy acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// It refuses and locks.
    Enforce,
    /// It only records what it would have done.
    Observe,
}

impl Enforcement {
    /// The word in policies, contexts and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Observe => "observe",
        }
    }
}

/// How persons appear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identities {
    /// Under a keyed pseudonym.
    Pseudonymous,
    /// By name.
    Clear,
}

/// A role: the groups that have it.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// Any of these gives the role.
    pub groups: BTreeSet<GroupName>,
}

/// A job scope: permissions belong to it, not to persons.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Which jobs it covers; `None` covers none.
    pub jobs: Option<JobSelector>,
    /// Which interactive clusters it covers; `None` covers none.
    pub clusters: Option<ClusterSelector>,
    /// Roles that may run it: any of these.
    pub run_by: BTreeSet<LocalName>,
    /// Roles that may not, whatever else they have. A deny wins.
    pub deny: BTreeSet<LocalName>,
    /// What it may do.
    pub may: BTreeSet<Permission>,
    /// The environment its processes run in.
    pub environment: LocalName,
    /// Labels of data that it may touch.
    pub clearance: BTreeSet<Label>,
}

/// Which jobs a scope covers. Every field that is given must match.
#[derive(Clone, Debug, Default)]
pub struct JobSelector {
    /// Job ids: any of these.
    pub ids: BTreeSet<JobId>,
    /// Job names: any of these. Any owner can edit a name.
    pub names: BTreeSet<String>,
    /// Tags: all of these. Any owner can edit tags unless the compute policy fixes them.
    pub tags: BTreeMap<String, String>,
    /// Principals the job must run as: any of these.
    pub run_as: BTreeSet<String>,
    /// Whether the job must be a bundle deployment that is `UI_LOCKED`.
    pub locked: bool,
    /// Compute policies of the cluster: any of these.
    pub policy_ids: BTreeSet<ComputePolicyId>,
}

impl JobSelector {
    /// Whether it asks what a job says of itself: name, tags, how it was deployed.
    pub fn by_job(&self) -> bool {
        !self.names.is_empty() || !self.tags.is_empty() || self.locked
    }
}

/// Which interactive clusters a scope covers.
#[derive(Clone, Debug, Default)]
pub struct ClusterSelector {
    /// Compute policies of the cluster: any of these.
    pub policy_ids: BTreeSet<ComputePolicyId>,
}

/// `[launches] record = …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchRecording {
    /// The launcher reports by one datagram and does not wait.
    Reported,
}

/// How long things live. Comfort, bounded: see `config::defaults`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// One lease; also the re-attestation period (default 10 minutes, at most 1 hour).
    pub lease: Duration,
    /// A provisional lease, until the node is listed (at most 120 s).
    pub provisional: Duration,
    /// One context token (default 1 hour, at most 24 hours).
    pub context: Duration,
}
