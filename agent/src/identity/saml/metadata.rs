//! What a provider's metadata says of it (SAML 2.0 metadata §2.4): its name and the certificates that it signs with. For whoever
//! writes a policy; a node never reads metadata.

use longhorn_xml::{Document, XmlError, blank};

use super::names::{METADATA, PROTOCOL, SIGNATURE};
use crate::identity::certificate::{CertificateError, SigningCertificate};
use crate::identity::ids::EntityId;

/// Entra's has some hundred, a federation's tens of thousands: that is another document.
const MOST_ELEMENTS: usize = 10_000;

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its name.
    pub entity_id: EntityId,
    /// The certificates that it signs with, each once, in the document's order.
    pub certificates: Vec<SigningCertificate>,
}

/// Why it is not the metadata of one provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not the XML that is read here.
    #[error("not plain XML: {0}")]
    Xml(XmlError),
    /// The root is another element.
    #[error("the root is {0}, not EntityDescriptor")]
    NotOneEntity(String),
    /// No name, or one that is none.
    #[error("it has no entityID, or a malformed one")]
    NoEntityId,
    /// No IDPSSODescriptor of SAML 2.0, or several.
    #[error("it describes no identity provider of SAML 2.0, or several")]
    NoProvider,
    /// No certificate for signatures.
    #[error("it names no certificate that signs")]
    NoCertificate,
    /// One that cannot be used.
    #[error("one of its certificates cannot be used: {0}")]
    Certificate(CertificateError),
}

impl Metadata {
    /// Reads metadata of one provider.
    ///
    /// # Errors
    /// What it lacks.
    pub fn read(bytes: &[u8]) -> Result<Self, MetadataError> {
        // Entra's begins with a byte order mark.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let document = Document::parse(bytes.trim_ascii(), MOST_ELEMENTS).map_err(MetadataError::Xml)?;
        let root = &document.elements[0];
        if !root.is(METADATA, "EntityDescriptor") {
            return Err(MetadataError::NotOneEntity(root.local.to_owned()));
        }
        let entity_id = root.attribute("entityID").and_then(|name| EntityId::try_from(name).ok());
        let entity_id = entity_id.ok_or(MetadataError::NoEntityId)?;
        let speaks = |at: &usize| {
            let protocols = document.elements[*at].attribute("protocolSupportEnumeration").unwrap_or_default();
            protocols.split(blank).any(|protocol| protocol == PROTOCOL)
        };
        let providers: Vec<usize> = document.named(0, METADATA, "IDPSSODescriptor").filter(speaks).collect();
        let [provider] = providers[..] else { return Err(MetadataError::NoProvider) };
        let mut certificates = Vec::new();
        for key in document.named(provider, METADATA, "KeyDescriptor") {
            if document.elements[key].attribute("use").is_some_and(|purpose| purpose != "signing") {
                continue;
            }
            let infos = document.named(key, SIGNATURE, "KeyInfo");
            let data = infos.flat_map(|info| document.named(info, SIGNATURE, "X509Data"));
            for at in data.flat_map(|data| document.named(data, SIGNATURE, "X509Certificate")) {
                let text = document.text(at).ok_or(MetadataError::Certificate(CertificateError::Malformed))?;
                let found = SigningCertificate::from_base64(&text).map_err(MetadataError::Certificate)?;
                if !certificates.contains(&found) {
                    certificates.push(found);
                }
            }
        }
        if certificates.is_empty() { Err(MetadataError::NoCertificate) } else { Ok(Self { entity_id, certificates }) }
    }
}
