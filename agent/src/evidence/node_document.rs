//! What the cloud says of this machine: asked for at the metadata service, under the node key's name where the cloud takes
//! one. Only what is signed is asked for: the unsigned copies beside it are never fetched.

use std::time::Duration;

use super::claim::OidcClaim;
use super::failure::Failure;
use super::metadata::{Busy, GOOGLE, Service, WHO, good};
use super::oidc;
use super::source::OpenIdIssuer;
use crate::host::http::Http;
use crate::host::metadata::ORIGIN;
use crate::host::retry::Deadline;
use crate::identity::GotWith;
use crate::identity::node_document::{audience, nonce};
use crate::identity::node_trust::Cloud;

/// The metadata service, and what ties its answer to this node.
#[derive(Debug)]
pub struct NodeDocumentSource {
    /// Whose it is.
    pub cloud: Cloud,
    /// How long one try may take.
    pub timeout: Duration,
    /// The node key's RFC 7638 thumbprint.
    pub node_key: String,
    /// The issuer of Google's tokens.
    pub issuer: Option<GoogleIssuer>,
}

impl NodeDocumentSource {
    /// The same, asked under another name than the node key's thumbprint alone. Of keys nothing is kept yet.
    pub fn under(&self, name: String) -> Self {
        let issuer = self.issuer.as_ref().map(|issuer| {
            let OpenIdIssuer { name, issuer: identifier, jwks_hosts, .. } = &issuer.source;
            let (name, identifier, jwks_hosts) = (name.clone(), identifier.clone(), jwks_hosts.clone());
            let source = OpenIdIssuer { name, issuer: identifier, jwks_hosts, published: super::Kept::default() };
            GoogleIssuer { source, audience: issuer.audience.clone() }
        });
        Self { cloud: self.cloud, timeout: self.timeout, node_key: name, issuer }
    }
}

/// Where Google's tokens are checked, and the audience that the policy names.
#[derive(Debug)]
pub struct GoogleIssuer {
    /// The issuer; its keys are kept like those of every other.
    pub source: OpenIdIssuer,
    /// To which the node key's thumbprint is added.
    pub audience: String,
}

/// What a metadata service said.
#[derive(Debug)]
pub enum NodeDocumentClaim {
    /// Amazon's `rsa2048`: base64 of PKCS#7.
    Aws(Vec<u8>),
    /// Azure's attested document: JSON around base64 of PKCS#7.
    Azure(Vec<u8>),
    /// Google's identity token, with its issuer's keys.
    Gcp(OidcClaim),
}

impl NodeDocumentClaim {
    /// Whose word it is said to be.
    pub fn cloud(&self) -> Cloud {
        match self {
            Self::Aws(_) => Cloud::Aws,
            Self::Azure(_) => Cloud::Azure,
            Self::Gcp(_) => Cloud::Gcp,
        }
    }
}

/// Asks.
///
/// # Errors
/// When it cannot be told.
pub async fn ask(http: &Http, source: &NodeDocumentSource, deadline: &Deadline<'_>) -> Result<NodeDocumentClaim, Failure> {
    let document = fetch(http, source, deadline).await?;
    present(http, source.cloud, document, source.issuer.as_ref(), deadline).await
}

/// The document alone, for somebody else to judge.
///
/// # Errors
/// When it cannot be told.
pub async fn fetch(http: &Http, source: &NodeDocumentSource, deadline: &Deadline<'_>) -> Result<Vec<u8>, Failure> {
    let service = Service { http, timeout: source.timeout, deadline, busy: Busy::ThreeTries };
    match (source.cloud, &source.issuer) {
        (Cloud::Aws, _) => {
            let path = "/latest/dynamic/instance-identity/rsa2048";
            let answer = service.aws(path, &service.aws_session().await?).await?;
            Ok(good(answer, path)?.body.to_vec())
        }
        (Cloud::Azure, _) => {
            let path = format!("/metadata/attested/document?api-version=2021-02-01&nonce={}", nonce(&source.node_key));
            Ok(good(service.azure(&path).await?, &path)?.body.to_vec())
        }
        (Cloud::Gcp, Some(issuer)) => {
            let answer = service.google_identity(&audience(&issuer.audience, &source.node_key)).await?;
            Ok(good(answer, GOOGLE)?.body.trim_ascii().to_vec())
        }
        (Cloud::Gcp, None) => Err(without_issuer()),
    }
}

/// A document that somebody handed over, with what is needed to check it. Keys are asked for at the policy's issuer, never
/// taken from whoever handed it over.
///
/// # Errors
/// When it cannot be told.
pub async fn present(
    http: &Http,
    cloud: Cloud,
    document: Vec<u8>,
    issuer: Option<&GoogleIssuer>,
    deadline: &Deadline<'_>,
) -> Result<NodeDocumentClaim, Failure> {
    match (cloud, issuer) {
        (Cloud::Aws, _) => Ok(NodeDocumentClaim::Aws(document)),
        (Cloud::Azure, _) => Ok(NodeDocumentClaim::Azure(document)),
        // Bound to the node key, and about the machine: whoever else asks gets another one.
        (Cloud::Gcp, Some(issuer)) => {
            oidc::ask_of(http, &issuer.source, document, GotWith::Given, deadline).await.map(NodeDocumentClaim::Gcp)
        }
        (Cloud::Gcp, None) => Err(without_issuer()),
    }
}

fn without_issuer() -> Failure {
    Failure::unintelligible(WHO, ORIGIN, "a cloud that the policy names no issuer for")
}
