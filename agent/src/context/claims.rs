//! The claims of a context token, in the words of the wire (RFC 7519 §4.1 and our own).

use serde::{Deserialize, Serialize};

use crate::identity::GotWith;

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

/// A claim that must stay as it was, and did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub claim: &'static str,
    /// What the node was locked for.
    pub locked: String,
    /// What it would be now.
    pub now: String,
}

impl Claims {
    /// The first claim in which `now` is another job, or the same job under other rules, than these claims say. Times, roles,
    /// proofs and membership may change; whom the node was locked for, and for what, may not: the lock stays as it is.
    pub fn change(&self, now: &Claims) -> Option<Change> {
        let rows = |claims: &Claims| {
            let job = claims.job.as_ref().map(|job| format!("{} run {}", job.id, job.run)).unwrap_or_default();
            [
                ("issuer", claims.iss.clone()),
                ("cluster", claims.cluster.clone()),
                ("job", job),
                ("principal", format!("{} {}", claims.run_as.kind, claims.run_as.name)),
                ("subject", claims.sub.clone()),
                ("scope", claims.scope.clone()),
                ("permissions", claims.permissions.join(", ")),
                ("clearance", claims.clearance.join(", ")),
                ("environment", format!("{} {}", claims.environment, claims.environment_digest)),
                ("enforcement", claims.enforcement.clone()),
                ("policy", claims.policy.digest.clone()),
            ]
        };
        let pairs = rows(self).into_iter().zip(rows(now));
        pairs.into_iter().find(|(locked, now)| locked != now).map(|((claim, locked), (_, now))| Change { claim, locked, now })
    }
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
    /// `databricks`, `oidc:<name>`, `saml:<name>`.
    pub kind: String,
    /// Who vouches.
    pub voucher: String,
    /// SHA-256 (hex) over what was checked.
    pub digest: String,
    /// `job`, or `agent` for credentials that prove the agent only.
    pub speaks_for: String,
    /// `given`, or `cloud-token` where it rests on the cloud's word on the agent.
    #[serde(default = "given")]
    pub got_with: String,
}

/// Contexts of earlier versions say nothing of it: their agents had no other way.
fn given() -> String {
    GotWith::Given.word().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            iss: "longhorn:https://a.example".into(),
            sub: "spiffe://a.example/workspace/a/job/1/run/2".into(),
            aud: "longhorn".into(),
            iat: 1,
            nbf: 1,
            exp: 2,
            jti: "one".into(),
            node: NodeClaim { address: "10.0.0.1".into(), role: "driver".into(), boot: "boot".into(), key: "key".into() },
            cluster: "c-1".into(),
            job: Some(JobClaim { id: "1".into(), run: "2".into() }),
            run_as: PrincipalClaim { kind: "service-principal".into(), name: "p".into() },
            roles: vec!["engineer".into()],
            scope: "training".into(),
            permissions: vec!["run".into()],
            clearance: Vec::new(),
            environment: "python".into(),
            environment_digest: "00".into(),
            enforcement: "enforce".into(),
            open: Vec::new(),
            policy: PolicyClaim { serial: 1, digest: "11".into() },
            lock: None,
            membership: "provisional".into(),
            proofs: Vec::new(),
        }
    }

    #[test]
    fn a_renewal_may_change_times_and_membership_and_nothing_that_the_lock_was_made_for() {
        let locked = claims();
        let later = Claims { iat: 9, exp: 10, jti: "two".into(), membership: "listed".into(), ..claims() };
        assert_eq!(locked.change(&later), None);
        type Edit = fn(&mut Claims);
        let rows: [(&str, Edit); 11] = [
            ("issuer", |claims| claims.iss = "longhorn:https://b.example".into()),
            ("cluster", |claims| claims.cluster = "c-2".into()),
            ("job", |claims| claims.job = None),
            ("principal", |claims| claims.run_as.name = "q".into()),
            ("subject", |claims| claims.sub.push('3')),
            ("scope", |claims| claims.scope = "serving".into()),
            ("permissions", |claims| claims.permissions.push("model.promote".into())),
            ("clearance", |claims| claims.clearance.push("pii".into())),
            ("environment", |claims| claims.environment_digest = "01".into()),
            ("enforcement", |claims| claims.enforcement = "observe".into()),
            ("policy", |claims| claims.policy.digest = "12".into()),
        ];
        for (claim, edit) in rows {
            let mut now = claims();
            edit(&mut now);
            assert_eq!(locked.change(&now).map(|change| change.claim), Some(claim));
        }
    }
}
