//! What the cloud says of this machine: asked for at the metadata service, under the node key's name where the cloud takes
//! one. Only what is signed is asked for: the unsigned copies beside it are never fetched.

use std::time::Duration;

use super::claim::OidcClaim;
use super::failure::{Failure, Who};
use super::oidc;
use super::source::OpenIdIssuer;
use crate::host::http::{Http, HttpError};
use crate::host::metadata::{MetadataAnswer, ORIGIN, Question};
use crate::host::retry::{Deadline, GaveUp};
use crate::host::secret::Secret;
use crate::identity::node_document::{audience, nonce};
use crate::identity::node_trust::Cloud;

const WHO: Who = Who::Metadata;
/// So often is one question asked.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

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
    let service = Service { http, timeout: source.timeout, deadline };
    match (source.cloud, &source.issuer) {
        (Cloud::Aws, _) => service.aws().await,
        (Cloud::Azure, _) => service.azure(&source.node_key).await,
        (Cloud::Gcp, Some(issuer)) => service.gcp(issuer, &source.node_key).await,
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
        (Cloud::Gcp, Some(issuer)) => oidc::ask_of(http, &issuer.source, document, deadline).await.map(NodeDocumentClaim::Gcp),
        (Cloud::Gcp, None) => Err(without_issuer()),
    }
}

fn without_issuer() -> Failure {
    Failure::unintelligible(WHO, ORIGIN, "a cloud that the policy names no issuer for")
}

struct Service<'a> {
    http: &'a Http,
    timeout: Duration,
    deadline: &'a Deadline<'a>,
}

impl Service<'_> {
    /// IMDSv2: a session first, so that nobody is served who can only make this machine send a GET.
    async fn aws(&self) -> Result<Vec<u8>, Failure> {
        let path = "/latest/api/token";
        let lifetime = ("x-aws-ec2-metadata-token-ttl-seconds", "60");
        let opened = self.send(&Question { put: true, path, header: lifetime, session: None }).await?;
        let token = Secret::new(opened.body.trim_ascii()).ok_or_else(|| unintelligible(path, "no session token"))?;
        let path = "/latest/dynamic/instance-identity/rsa2048";
        let session = Some(("x-aws-ec2-metadata-token", &token));
        let answer = self.send(&Question { put: false, path, header: ("accept", "text/plain"), session }).await?;
        Ok(answer.body)
    }

    async fn azure(&self, node_key: &str) -> Result<Vec<u8>, Failure> {
        let path = format!("/metadata/attested/document?api-version=2021-02-01&nonce={}", nonce(node_key));
        let header = ("metadata", "true");
        self.send(&Question { put: false, path: &path, header, session: None }).await.map(|answer| answer.body)
    }

    async fn gcp(&self, issuer: &GoogleIssuer, node_key: &str) -> Result<Vec<u8>, Failure> {
        let ours = super::databricks::percent_encode(&audience(&issuer.audience, node_key));
        let path =
            format!("/computeMetadata/v1/instance/service-accounts/default/identity?audience={ours}&format=full&licenses=FALSE");
        let header = ("metadata-flavor", "Google");
        let answer = self.send(&Question { put: false, path: &path, header, session: None }).await?;
        // Whoever does not say so is a proxy that forwarded the question.
        if answer.flavor.as_deref() != Some("Google") {
            return Err(unintelligible(&path, "an answer without Metadata-Flavor: Google"));
        }
        Ok(answer.body.trim_ascii().to_vec())
    }

    /// Up to three tries, each within its own time and all within the node's deadline.
    async fn send(&self, question: &Question<'_>) -> Result<MetadataAnswer, Failure> {
        let what = format!("{ORIGIN}{}", question.path.split('?').next().unwrap_or_default());
        let mut tries = 0;
        loop {
            tries += 1;
            let cause = match self.http.ask_metadata(question, self.timeout.min(self.deadline.left())).await {
                Ok(answer) if answer.status == 200 => return Ok(answer),
                Ok(MetadataAnswer { status, .. }) if status == 429 || status >= 500 => GaveUp::KeptFailing { status, tries },
                Ok(MetadataAnswer { status, .. }) => return Err(unintelligible(question.path, &format!("status {status}"))),
                Err(last @ (HttpError::NotSecure | HttpError::Redirected | HttpError::TooLarge)) => {
                    return Err(Failure::gave_up(WHO, &what, GaveUp::NoAnswer { tries, last }));
                }
                Err(last) => GaveUp::NoAnswer { tries, last },
            };
            if tries == TRIES || PAUSE >= self.deadline.left() {
                return Err(Failure::gave_up(WHO, &what, cause));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn unintelligible(path: &str, detail: &str) -> Failure {
    Failure::unintelligible(WHO, &format!("{ORIGIN}{}", path.split('?').next().unwrap_or_default()), detail)
}
