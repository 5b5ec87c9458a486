//! What a source said, framed and not believed.

use zeroize::Zeroize;

use super::hints::Hints;
use super::node_document::NodeDocumentClaim;
use crate::identity::GotWith;
use crate::identity::entra::Memberships;
use crate::identity::ids::{LocalName, WorkspaceHost};

/// One claim.
#[derive(Debug)]
pub enum Claim {
    /// The workspace's control plane.
    Databricks(Box<DatabricksClaim>),
    /// A token with the keys of its issuer.
    Oidc(OidcClaim),
    /// An assertion.
    Saml(SamlClaim),
    /// What the cloud's metadata service said of this machine.
    NodeDocument(NodeDocumentClaim),
}

/// What a REST call said.
#[derive(Debug)]
pub enum Answered {
    /// A document.
    Document(Vec<u8>),
    /// That there is no such thing.
    Unknown,
}

/// What the workspace said.
#[derive(Debug)]
pub struct DatabricksClaim {
    /// Which workspace was asked.
    pub host: WorkspaceHost,
    /// What this node's environment says of itself: compared, never trusted.
    pub hints: Hints,
    /// clusters/get.
    pub cluster: Answered,
    /// jobs/runs/get, on job clusters.
    pub run: Option<Answered>,
    /// jobs/get, on job clusters.
    pub job: Option<Answered>,
    /// SCIM: who the principal is, with its groups.
    pub principal: Option<Answered>,
    /// With what the agent authenticated.
    pub got_with: GotWith,
}

/// A token and where its keys come from.
#[derive(Debug)]
pub struct OidcClaim {
    /// The issuer's local name in the policy.
    pub name: LocalName,
    /// The token.
    pub token: Vec<u8>,
    /// The discovery document (OpenID Connect Discovery §4).
    pub discovery: Vec<u8>,
    /// The key set that it points to.
    pub keys: Vec<u8>,
    /// What Microsoft Graph said of its bearer's groups, where it was asked.
    pub memberships: Option<Memberships>,
    /// With what the agent got the token.
    pub got_with: GotWith,
}

impl Drop for OidcClaim {
    /// Whoever has a token can show it elsewhere while it is good.
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

/// An assertion that was handed in.
#[derive(Debug)]
pub struct SamlClaim {
    /// The provider's local name in the policy.
    pub name: LocalName,
    /// The document: a response or an assertion.
    pub document: Vec<u8>,
}
