//! The claims of a context token, in the words of the wire (RFC 7519 §4.1 and our own).

use serde::{Deserialize, Serialize};

/// What a context says. The field names are the claim names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// `longhorn:` and the workspace's origin.
    pub iss: String,
    /// `spiffe://<workspace host>/workspace/<id>/job/<id>/run/<id>`, or `…/cluster/<id>/principal/<name>`.
    pub sub: String,
    /// Whom the token is for.
    pub aud: String,
    /// Issued at, in seconds since the epoch.
    pub iat: i64,
    /// Not before.
    pub nbf: i64,
    /// The end.
    pub exp: i64,
    /// Unique per token (UUIDv7).
    pub jti: String,
    /// This node.
    pub node: NodeClaim,
    /// The cluster.
    pub cluster: String,
    /// The job, unless the cluster is interactive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobClaim>,
    /// On whose behalf.
    pub run_as: PrincipalClaim,
    /// Roles that the principal's groups give.
    pub roles: Vec<String>,
    /// The scope that matched.
    pub scope: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Labels of data it may touch.
    pub clearance: Vec<String>,
    /// The environment its processes run in.
    pub environment: String,
    /// SHA-256 over that environment as the policy resolves it.
    pub environment_digest: String,
    /// `enforce` or `observe`.
    pub enforcement: String,
    /// Ways that policy or node leave open, by name.
    pub open: Vec<String>,
    /// The policy.
    pub policy: PolicyClaim,
    /// The lock; absent until it is in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockClaim>,
    /// Whether the workspace lists this node: `listed` or `provisional`.
    pub membership: String,
    /// The proofs behind it.
    pub proofs: Vec<ProofClaim>,
}

/// This node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeClaim {
    /// Its address in the cluster.
    pub address: String,
    /// `driver` or `worker`.
    pub role: String,
    /// The kernel's boot id.
    pub boot: String,
    /// The node key's RFC 7638 thumbprint.
    pub key: String,
}

/// The job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobClaim {
    /// Its id.
    pub id: String,
    /// Its run's id.
    pub run: String,
}

/// A principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrincipalClaim {
    /// `user`, `service-principal` or `group`.
    pub kind: String,
    /// A pseudonym for persons (unless the policy says `clear`), else the name.
    pub name: String,
}

/// The policy that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyClaim {
    /// Its serial.
    pub serial: u64,
    /// SHA-256 (hex) over its bytes.
    pub digest: String,
}

/// The lock as it was enforced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockClaim {
    /// SHA-256 (hex) over the sealed lock.
    pub digest: String,
    /// `full`, `degraded`, or `none` (observe).
    pub strength: String,
}

/// One proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofClaim {
    /// `databricks`, `oidc:<name>`.
    pub kind: String,
    /// Who vouches.
    pub voucher: String,
    /// SHA-256 (hex) over what was checked.
    pub digest: String,
    /// `job`, or `agent` for credentials that prove the agent only.
    pub speaks_for: String,
}
