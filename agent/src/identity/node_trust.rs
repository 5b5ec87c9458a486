//! Which cloud's word on a machine counts, as the signed policy says it. Read by `config`; nothing here has a default.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use super::pkcs7::certificate::{Certificate, CertificateError, LEAST_BITS};
use super::trust::OidcTrust;

/// A cloud that signs documents about its machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cloud {
    /// Amazon EC2: instance identity documents.
    Aws,
    /// Azure: attested documents.
    Azure,
    /// Google Compute Engine: identity tokens.
    Gcp,
}

impl Cloud {
    /// Every cloud, with its word in settings and policy.
    pub const WORDS: [(&str, Self); 3] = [("aws", Self::Aws), ("azure", Self::Azure), ("gcp", Self::Gcp)];

    /// The word in settings, policy and record.
    pub fn word(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
        }
    }
}

/// `[trust.node]`.
#[derive(Clone, Debug)]
pub enum NodeTrust {
    /// `kind = "aws"`.
    Aws(AwsTrust),
    /// `kind = "azure"`.
    Azure(AzureTrust),
    /// `kind = "gcp"`.
    Gcp(Box<GcpTrust>),
}

impl NodeTrust {
    /// Whose word it is.
    pub fn cloud(&self) -> Cloud {
        match self {
            Self::Aws(_) => Cloud::Aws,
            Self::Azure(_) => Cloud::Azure,
            Self::Gcp(_) => Cloud::Gcp,
        }
    }
}

/// Amazon's documents.
#[derive(Clone, Debug)]
pub struct AwsTrust {
    /// Accounts that the machine may belong to (12 digits).
    pub accounts: BTreeSet<String>,
    /// Regions, each with the certificates that its documents are signed under: Amazon has one for each region.
    pub certificates: BTreeMap<String, Vec<Certificate>>,
    /// How long ago the machine may have been started when the node joins. The document names no node key and never ends.
    pub max_age: Duration,
}

/// Azure's documents.
#[derive(Clone, Debug)]
pub struct AzureTrust {
    /// Subscriptions that the machine may belong to (lower-case UUIDs).
    pub subscriptions: BTreeSet<String>,
    /// Where the signer's chain must end.
    pub roots: Vec<Certificate>,
    /// What the document leaves out between the signer and a root.
    pub intermediates: Vec<Certificate>,
    /// Names of which the signer's certificate must have one, compared as they stand: no wildcard counts.
    pub names: BTreeSet<String>,
}

/// Google's tokens.
#[derive(Clone, Debug)]
pub struct GcpTrust {
    /// Projects that the machine may belong to.
    pub projects: BTreeSet<String>,
    /// The issuer. To its audience the node key's thumbprint is added: see [`super::node_document::audience`].
    pub issuer: OidcTrust,
}
