//! Whom the signed policy trusts, and for what. Parsed by `config`, used by `identity`; nothing here has a default.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::{Audience, Issuer, LocalName, PrincipalName, WorkspaceHost};
use super::node_trust::NodeTrust;

/// The policy's `[trust]` and the workspaces it is bound to.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Workspaces that the policy is for.
    pub workspaces: BTreeSet<WorkspaceHost>,
    /// Proof kinds that must be present and agree.
    pub require: BTreeSet<ProofKind>,
    /// OpenID issuers by their local name.
    pub oidc: BTreeMap<LocalName, OidcTrust>,
    /// The cloud whose word on this machine counts; `None`: no cloud's.
    pub node: Option<NodeTrust>,
}

/// A kind of proof.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProofKind {
    /// The workspace's own control plane.
    Databricks,
    /// The OpenID issuer of this local name.
    Oidc(LocalName),
    /// The cloud that the machine runs in.
    Node,
}

impl std::fmt::Display for ProofKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Databricks => out.write_str("databricks"),
            Self::Oidc(name) => write!(out, "oidc:{name}"),
            Self::Node => out.write_str("node"),
        }
    }
}

/// One `[[trust.oidc]]`.
#[derive(Clone, Debug)]
pub struct OidcTrust {
    /// Its local name.
    pub name: LocalName,
    /// The issuer, compared byte for byte.
    pub issuer: Issuer,
    /// Hosts (`name` or `name:port`) that keys may be fetched from.
    pub jwks_hosts: BTreeSet<String>,
    /// The audience that tokens must carry.
    pub audience: Audience,
    /// Signature algorithms that are accepted.
    pub algorithms: BTreeSet<Algorithm>,
    /// Accepted `typ` header values, lower case, without `application/`; e.g. `jwt`, `at+jwt`.
    pub types: BTreeSet<String>,
    /// The claim that holds groups, where one does.
    pub groups: Option<String>,
    /// How the token's subject becomes the job's principal.
    pub subject: SubjectRule,
}

/// JOSE signature algorithms (RFC 7518 §3.1, RFC 8037) that this build can check. Symmetric ones and `none` are not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA over P-256 with SHA-256.
    ES256,
    /// ECDSA over P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

/// `subject = { claim = …, equals = … }`.
#[derive(Clone, Debug)]
pub struct SubjectRule {
    /// Which claim names the subject.
    pub claim: String,
    /// What it must equal.
    pub equals: SubjectEquals,
}

/// What a token's subject is compared with.
#[derive(Clone, Debug)]
pub enum SubjectEquals {
    /// The application id of the service principal that the job runs as.
    ApplicationId,
    /// The user name of the person that the job runs as.
    UserName,
    /// A table from subjects to workspace principals.
    Map(BTreeMap<String, PrincipalName>),
}
