//! A cloud's own token about the agent, as the settings ask for it: signed by the cloud, for whoever reaches the metadata
//! service of this machine. It proves the agent and never the job, and counts only where no job can ask for the same.

use std::time::Duration;

use super::ids::Audience;
use super::node_document::audience;
use super::trust::{KeyBinding, OidcTrust};

/// The tag of Amazon's tokens that holds the node key's thumbprint.
pub const TAG: &str = "longhorn-node-key";

/// What is asked for, and of which cloud.
#[derive(Clone, Debug)]
pub enum CloudToken {
    /// `azure-imds`: an access token of a managed identity.
    Azure {
        /// `resource`: for whom it is.
        resource: String,
        /// `client-id`: which of the machine's user-assigned identities; without it the one that it has by itself.
        client_id: Option<String>,
    },
    /// `gcp-metadata`: an identity token of the machine's service account.
    Gcp {
        /// For whom it is.
        audience: AudienceFrom,
    },
    /// `aws-web-identity`: a token of the machine's role, from STS.
    Aws(AwsToken),
}

/// `aws-web-identity`.
#[derive(Clone, Debug)]
pub struct AwsToken {
    /// For whom it is.
    pub audience: AudienceFrom,
    /// `algorithm`: how it is signed.
    pub algorithm: StsAlgorithm,
    /// `lifetime`: how long it is good for.
    pub lifetime: Duration,
    /// `region`: whose STS is asked; without it the machine's own region's.
    pub region: Option<String>,
    /// `endpoint`: another address of that STS, such as a private one; an origin.
    pub endpoint: Option<String>,
}

/// Who says for whom a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudienceFrom {
    /// The settings: a token that is exchanged.
    Settings(Audience),
    /// The policy's `[[trust.oidc]]`: a token that is a proof.
    Policy,
}

/// How STS signs (GetWebIdentityToken, `SigningAlgorithm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StsAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// ECDSA over P-384 with SHA-384.
    ES384,
}

impl StsAlgorithm {
    /// Each, with its word in settings and requests.
    pub const WORDS: [(&str, Self); 2] = [("RS256", Self::RS256), ("ES384", Self::ES384)];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::ES384 => "ES384",
        }
    }
}

impl CloudToken {
    /// Its word in the settings.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Azure { .. } => "azure-imds",
            Self::Gcp { .. } => "gcp-metadata",
            Self::Aws(_) => "aws-web-identity",
        }
    }
}

/// The audience of a proof: the policy's, with the node key's thumbprint where the policy binds it there.
pub fn audience_of(trust: &OidcTrust, node_key: &str) -> String {
    match trust.node_key {
        KeyBinding::Audience => audience(trust.audience.as_str(), node_key),
        KeyBinding::Unbound | KeyBinding::RequestTag => trust.audience.to_string(),
    }
}
