//! Whom the signed policy trusts, and for what. Parsed by `config`, used by `identity`; nothing here has a default.

use std::collections::{BTreeMap, BTreeSet};

use super::certificate::SigningCertificate;
use super::entra::EntraRules;
use super::ids::{Audience, EntityId, Issuer, LocalName, PrincipalName, WorkspaceHost};
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
    /// SAML providers by their local name.
    pub saml: BTreeMap<LocalName, SamlTrust>,
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
    /// The SAML provider of this local name.
    Saml(LocalName),
    /// The cloud that the machine runs in.
    Node,
}

impl std::fmt::Display for ProofKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Databricks => out.write_str("databricks"),
            Self::Oidc(name) => write!(out, "oidc:{name}"),
            Self::Saml(name) => write!(out, "saml:{name}"),
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
    /// The provider behind it, as far as it has rules of its own.
    pub provider: Provider,
    /// Where its tokens carry the node key.
    pub node_key: KeyBinding,
}

/// `node-key`: where a token carries the thumbprint of the node key, so that one fetched elsewhere is no use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyBinding {
    /// Nowhere.
    Unbound,
    /// In its audience, behind the policy's and a slash.
    Audience,
    /// In a tag of the request to Amazon's STS, which stands in the token.
    RequestTag,
}

impl KeyBinding {
    /// The words of the policy.
    pub const WORDS: [(&str, Self); 2] = [("audience", Self::Audience), ("request-tag", Self::RequestTag)];
}

/// Providers whose tokens are checked by more than the standards say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// By the standards alone.
    Standard,
    /// A tenant of Microsoft Entra ID.
    Entra(EntraRules),
    /// A custom authorisation server of Okta.
    Okta,
}

/// One `[[trust.saml]]`.
#[derive(Clone, Debug)]
pub struct SamlTrust {
    /// Its local name.
    pub name: LocalName,
    /// The provider, compared byte for byte.
    pub entity_id: EntityId,
    /// The audience that each restriction must name.
    pub audience: Audience,
    /// The address at which assertions are delivered, compared byte for byte.
    pub recipient: String,
    /// The certificates that the provider signs with: one, and during a change the next one.
    pub certificates: Vec<SigningCertificate>,
    /// The attribute that holds groups, where one does.
    pub groups: Option<String>,
    /// How the assertion's subject becomes the job's principal.
    pub subject: SamlSubjectRule,
}

/// `subject = { name-id = … or attribute = …, equals = … }`.
#[derive(Clone, Debug)]
pub struct SamlSubjectRule {
    /// What names the subject.
    pub from: SamlSubject,
    /// What it must equal.
    pub equals: SubjectEquals,
}

/// What names the subject of an assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SamlSubject {
    /// NameID, of this format.
    NameId(NameIdFormat),
    /// The attribute of this name, with one value.
    Attribute(String),
}

/// Formats of NameID (SAML 2.0 core §8.3) that name the same person each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameIdFormat {
    /// `persistent`.
    Persistent,
    /// `email`.
    Email,
    /// `unspecified`; also where an assertion names no format.
    Unspecified,
}

impl NameIdFormat {
    /// Its name in assertions.
    pub fn uri(self) -> &'static str {
        match self {
            Self::Persistent => "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            Self::Email => "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
            Self::Unspecified => "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
        }
    }
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
