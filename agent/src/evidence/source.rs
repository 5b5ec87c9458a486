//! The one list of sources, and gathering from all of them.

use super::claim::Claim;
use super::client::Client;
use super::cloud_token::CloudTokenSource;
use super::failure::Failure;
use super::graph::GraphSource;
use super::hints::Hints;
use super::kept::Kept;
use super::node_document::NodeDocumentSource;
use super::oidc::Published;
use super::{databricks, node_document, oidc, saml};
use crate::host::http::Http;
use crate::host::retry::Deadline;
use crate::host::secret::Secret;
use crate::identity::GotWith;
use crate::identity::ids::{Issuer, LocalName, WorkspaceHost};
use crate::identity::trust::OidcTrust;
use crate::unverified::Unverified;

/// Where evidence comes from.
#[derive(Debug)]
pub enum Source {
    /// The workspace.
    Databricks(WorkspaceSource),
    /// An OpenID issuer.
    Oidc(OidcSource),
    /// A SAML provider.
    Saml(SamlSource),
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
    /// Scopes are chosen by what a job says of itself: workers, too, ask for it.
    pub by_job: bool,
    /// The token that the agent was given for its credentials.
    pub granted: Kept<Secret>,
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
    /// Somebody else's token about the agent, exchanged for one of the workspace's (RFC 8693): no secret of the workspace's is
    /// stored anywhere.
    TokenExchange {
        /// The service principal whose federation policy it is; without one the account's policy decides.
        client_id: Option<String>,
        /// The subject token, a JWT.
        subject: SubjectToken,
    },
}

/// Where a token that is exchanged comes from.
#[derive(Debug)]
pub enum SubjectToken {
    /// It was handed in.
    Given(Secret),
    /// The cloud gives one to this machine.
    Cloud(Box<CloudTokenSource>),
}

impl Auth {
    /// With what the agent asks the workspace.
    pub(super) fn got_with(&self) -> GotWith {
        match self {
            Self::TokenExchange { subject: SubjectToken::Cloud(_), .. } => GotWith::CloudToken,
            Self::TokenExchange { subject: SubjectToken::Given(_), .. } | Self::MachineToMachine { .. } | Self::Token(_) => {
                GotWith::Given
            }
        }
    }
}

/// Where a token comes from.
pub enum Bearer {
    /// It was handed in.
    Given(Vec<u8>),
    /// The issuer gives one to the agent itself.
    Client(Box<Client>),
    /// The cloud gives one to this machine.
    Cloud(Box<CloudTokenSource>),
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("…")
    }
}

/// Where an issuer's keys are fetched.
#[derive(Debug)]
pub struct OpenIdIssuer {
    /// Its local name in the policy.
    pub name: LocalName,
    /// Its identifier.
    pub issuer: Issuer,
    /// Hosts that keys may be fetched from.
    pub jwks_hosts: Vec<String>,
    /// What it published.
    pub published: Kept<Published>,
}

impl OpenIdIssuer {
    /// As the policy names it; nothing was asked yet.
    pub fn named_by(trust: &OidcTrust) -> Self {
        Self {
            name: trust.name.clone(),
            issuer: trust.issuer.clone(),
            jwks_hosts: trust.jwks_hosts.iter().cloned().collect(),
            published: Kept::default(),
        }
    }
}

/// A token, and its issuer.
#[derive(Debug)]
pub struct OidcSource {
    /// The issuer.
    pub issuer: OpenIdIssuer,
    /// The token.
    pub token: Bearer,
    /// Where groups are asked for that did not fit into a token.
    pub graph: Option<Box<GraphSource>>,
}

/// An assertion that was handed in.
#[derive(Debug)]
pub struct SamlSource {
    /// The provider's local name in the policy.
    pub name: LocalName,
    /// The assertion, as its file holds it.
    pub assertion: Vec<u8>,
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
            Source::Saml(provider) => Claim::Saml(saml::frame(provider)),
            Source::NodeDocument(cloud) => Claim::NodeDocument(node_document::ask(http, cloud, deadline).await?),
        };
        claims.push(Unverified::new(claim));
    }
    Ok(claims)
}
