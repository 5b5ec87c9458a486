//! Names of namespaces and algorithms, each with the document that gives it.

/// SAML 2.0 core §1.1.
pub(super) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// The same.
pub(super) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// SAML 2.0 metadata §1.1.
pub(super) const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
/// XML Signature §1.3.
pub(super) const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XML Signature §6.6.4.
pub(super) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// SAML 2.0 core §3.2.2.2.
pub(super) const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
/// SAML 2.0 profiles §3.3.
pub(super) const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// Entra ID: where the groups are that the assertion leaves out (more than 150).
pub(super) const GROUPS_ELSEWHERE: &str = "http://schemas.microsoft.com/claims/groups.link";
