//! The one list of sources, and gathering from all of them.

use super::claim::Claim;
use super::failure::Failure;
use super::hints::Hints;
use super::node_document::NodeDocumentSource;
use super::{databricks, node_document, oidc};
use crate::host::http::Http;
use crate::host::retry::Deadline;
use crate::host::secret::Secret;
use crate::identity::ids::{Issuer, LocalName, WorkspaceHost};
use crate::unverified::Unverified;

/// Where evidence comes from.
#[derive(Debug)]
pub enum Source {
    /// The workspace.
    Databricks(WorkspaceSource),
    /// An OpenID issuer.
    Oidc(OidcSource),
    /// The cloud's metadata service.
    NodeDocument(NodeDocumentSource),
}

/// The workspace and how the agent authenticates to it.
#[derive(Debug)]
pub struct WorkspaceSource {
    /// Its origin.
    pub host: WorkspaceHost,
    /// The agent's credentials.
    pub auth: Auth,
    /// What this node says of itself.
    pub hints: Hints,
}

/// The agent's credentials.
#[derive(Debug)]
pub enum Auth {
    /// OAuth client credentials (RFC 6749 §4.4).
    MachineToMachine {
        /// The service principal's application id.
        client_id: String,
        /// Its secret.
        secret: Secret,
    },
    /// A token.
    Token(Secret),
}

/// A token that was handed in, and its issuer.
#[derive(Debug)]
pub struct OidcSource {
    /// The issuer's local name in the policy.
    pub name: LocalName,
    /// The issuer.
    pub issuer: Issuer,
    /// Hosts that keys may be fetched from.
    pub jwks_hosts: Vec<String>,
    /// The token.
    pub token: Vec<u8>,
}

/// Asks every source.
///
/// # Errors
/// At the first that cannot be told.
pub async fn gather(http: &Http, sources: &[Source], deadline: &Deadline<'_>) -> Result<Vec<Unverified<Claim>>, Failure> {
    let mut claims = Vec::with_capacity(sources.len());
    for source in sources {
        let claim = match source {
            Source::Databricks(workspace) => Claim::Databricks(Box::new(databricks::ask(http, workspace, deadline).await?)),
            Source::Oidc(issuer) => Claim::Oidc(oidc::ask(http, issuer, deadline).await?),
            Source::NodeDocument(cloud) => Claim::NodeDocument(node_document::ask(http, cloud, deadline).await?),
        };
        claims.push(Unverified::new(claim));
    }
    Ok(claims)
}
