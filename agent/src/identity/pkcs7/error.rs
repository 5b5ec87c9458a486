//! Why a signed document is not believed, before anybody knows what it says.

use super::super::node_document::NodeRefusal;

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::identity) enum Pkcs7Error {
    /// Not the structure; what was expected where.
    Malformed(&'static str),
    /// More bytes than this.
    Oversized(usize),
    /// So many signers.
    Signers(usize),
    /// The content is of another type than data.
    ContentType,
    /// A digest that is broken or unknown.
    Digest,
    /// A signature that is not RSA with the digest.
    Algorithm,
    /// Signed attributes where this kind of document has none, or none where it has some.
    Attributes(&'static str),
    /// A signed attribute is missing.
    AttributeMissing(&'static str),
    /// The attributes name another digest than the content's.
    DigestMismatch,
    /// The signer's key is too short.
    KeyWeak(usize),
    /// The bytes are not what the key signed.
    Signature,
}

impl From<Pkcs7Error> for NodeRefusal {
    fn from(error: Pkcs7Error) -> Self {
        match error {
            Pkcs7Error::Malformed(detail) => Self::Malformed(detail),
            Pkcs7Error::Oversized(presented) => Self::Oversized { most: super::ber::MOST, presented },
            Pkcs7Error::Signers(presented) => Self::SignerCount(presented),
            Pkcs7Error::ContentType => Self::ContentType,
            Pkcs7Error::Digest => Self::DigestWeak,
            Pkcs7Error::Algorithm => Self::SignatureAlgorithm,
            Pkcs7Error::Attributes(expected) => Self::Attributes(expected),
            Pkcs7Error::AttributeMissing(name) => Self::AttributeMissing(name),
            Pkcs7Error::DigestMismatch => Self::DigestMismatch,
            Pkcs7Error::KeyWeak(bits) => Self::KeyWeak(bits),
            Pkcs7Error::Signature => Self::SignatureInvalid,
        }
    }
}
