//! What was granted.

use std::collections::BTreeSet;

use super::environment::Environment;
use super::policy::{Enforcement, Permission};
use crate::host::clock::Timestamp;
use crate::identity::ids::{Label, LocalName};
use crate::identity::job::JobIdentity;

/// A yes. Only `decision::decide` makes one; the context room consumes it.
#[derive(Debug)]
#[must_use]
pub struct Grant {
    pub(super) identity: JobIdentity,
    pub(super) roles: BTreeSet<LocalName>,
    pub(super) scope: LocalName,
    pub(super) permissions: BTreeSet<Permission>,
    pub(super) clearance: BTreeSet<Label>,
    pub(super) environment: Environment,
    pub(super) enforcement: Enforcement,
    pub(super) policy_serial: u64,
    pub(super) policy_digest: String,
    pub(super) good_until: Timestamp,
}

impl Grant {
    /// To whom.
    pub fn identity(&self) -> &JobIdentity {
        &self.identity
    }
    /// Roles that the groups give.
    pub fn roles(&self) -> &BTreeSet<LocalName> {
        &self.roles
    }
    /// The scope that matched.
    pub fn scope(&self) -> &LocalName {
        &self.scope
    }
    /// What it may do.
    pub fn permissions(&self) -> &BTreeSet<Permission> {
        &self.permissions
    }
    /// Labels it may touch.
    pub fn clearance(&self) -> &BTreeSet<Label> {
        &self.clearance
    }
    /// What its processes run in.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }
    /// Enforce or observe.
    pub fn enforcement(&self) -> Enforcement {
        self.enforcement
    }
    /// The policy's serial.
    pub fn policy_serial(&self) -> u64 {
        self.policy_serial
    }
    /// The policy's digest (SHA-256, hex).
    pub fn policy_digest(&self) -> &str {
        &self.policy_digest
    }
    /// The end of the shortest-lived proof or of the policy, whichever comes first.
    pub fn good_until(&self) -> Timestamp {
        self.good_until
    }
}
