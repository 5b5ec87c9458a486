//! Each claim alone. A new kind of claim does not build until somebody wrote its verifier here.

use std::collections::BTreeSet;

use super::agreement::Machine;
use super::ids::{ClusterId, ComputePolicyId, GroupName, LocalName, NodeAddress, WorkspaceHost};
use super::job::{Membership, NodeRole, Principal, Workload};
use super::node_document::{NodeProof, Occasion};
use super::refusal::Refusal;
use super::trust::Trust;
use super::unproven::Unproven;
use super::verified::Verified;
use super::{databricks, node_document, oidc, saml};
use crate::evidence::Claim;
use crate::host::clock::Timestamp;
use crate::unverified::Unverified;

/// What one verified claim proves.
#[derive(Clone, Debug)]
pub enum Proof {
    /// By the workspace.
    Databricks(Box<DatabricksProof>),
    /// By an OpenID issuer.
    Oidc(OidcProof),
    /// By a SAML provider.
    Saml(SamlProof),
    /// By the cloud.
    Node(NodeProof),
}

/// What the workspace proves.
#[derive(Clone, Debug)]
pub struct DatabricksProof {
    /// The workspace.
    pub host: WorkspaceHost,
    /// The cluster.
    pub cluster: ClusterId,
    /// This node.
    pub node: NodeAddress,
    /// Driver or worker.
    pub role: NodeRole,
    /// Whether it is listed.
    pub membership: Membership,
    /// Job or interactive.
    pub workload: Workload,
    /// On whose behalf.
    pub principal: Principal,
    /// Its groups.
    pub groups: BTreeSet<GroupName>,
    /// The compute policy.
    pub compute_policy: Option<ComputePolicyId>,
    /// Every node that the workspace lists.
    pub members: BTreeSet<NodeAddress>,
    /// The machine that this node runs on, once it is listed.
    pub machine: Option<Machine>,
}

/// What an issuer proves.
#[derive(Clone, Debug)]
pub struct OidcProof {
    /// The issuer's local name.
    pub name: LocalName,
    /// The subject, by the claim that the policy names.
    pub subject: String,
    /// Whether the subject is the client itself (client credentials).
    pub client: bool,
    /// Groups.
    pub groups: BTreeSet<GroupName>,
}

/// What a SAML provider proves.
#[derive(Clone, Debug)]
pub struct SamlProof {
    /// The provider's local name.
    pub name: LocalName,
    /// The subject, by the name or attribute that the policy names.
    pub subject: String,
    /// Groups.
    pub groups: BTreeSet<GroupName>,
}

/// What verifying needs besides the claim.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Whom the policy trusts.
    pub trust: &'a Trust,
    /// Whether this node must be listed already.
    pub listed: bool,
    /// For how long the workspace's word is relied on.
    pub period: std::time::Duration,
    /// The node key's thumbprint: what is asked for under its name must carry it.
    pub node_key: &'a str,
    /// Whether the node joins.
    pub occasion: Occasion,
    /// Now.
    pub now: Timestamp,
}

/// Verifies one claim.
///
/// # Errors
/// When it is false, or cannot be understood.
pub fn verify(claim: &Unverified<Claim>, rules: &Rules<'_>) -> Result<Verified<Proof>, Unproven> {
    match claim.examine() {
        Claim::Databricks(claim) => databricks::verify(claim, rules),
        Claim::Oidc(claim) => {
            let trust = rules.trust.oidc.get(&claim.name).ok_or_else(|| Refusal::IssuerUnknown(claim.name.to_string()))?;
            oidc::verify(claim, trust, rules)
        }
        Claim::Saml(claim) => {
            let trust = rules.trust.saml.get(&claim.name).ok_or_else(|| Refusal::IssuerUnknown(claim.name.to_string()))?;
            saml::verify(claim, trust, rules.now)
        }
        Claim::NodeDocument(claim) => node_document::verify(claim, rules),
    }
}
