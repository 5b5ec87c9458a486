//! Whether the signer's key signed the content: RSA PKCS#1 v1.5 of 2048 bits or more, over SHA-256 or better.

use aws_lc_rs::digest::{self, digest};
use aws_lc_rs::signature::{self, RsaParameters, UnparsedPublicKey};

use super::certificate::{Certificate, LEAST_BITS};
use super::der::{OBJECT, OCTET_STRING, Reader, SEQUENCE, SET};
use super::error::Pkcs7Error;
use super::signed::{DATA, SignedData, Signer};

/// id-contentType, id-messageDigest (RFC 5652 §11).
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// rsaEncryption: the digest is the signer's.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Whether documents of a kind sign attributes, or the content itself. It is never the document's choice: what was signed
/// as attributes could else be presented as content (RFC 5652 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::identity) enum Attributes {
    /// They do.
    Present,
    /// They do not.
    Absent,
}

/// A digest that counts, with the signature over it.
struct Hash {
    digest: &'static [u8],
    with_rsa: &'static [u8],
    of: &'static digest::Algorithm,
    rsa: &'static RsaParameters,
}

/// SHA-1 and older ones are not among them.
const HASHES: &[Hash] = &[
    Hash {
        digest: &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
        with_rsa: &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
        of: &digest::SHA256,
        rsa: &signature::RSA_PKCS1_2048_8192_SHA256,
    },
    Hash {
        digest: &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02],
        with_rsa: &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c],
        of: &digest::SHA384,
        rsa: &signature::RSA_PKCS1_2048_8192_SHA384,
    },
    Hash {
        digest: &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03],
        with_rsa: &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d],
        of: &digest::SHA512,
        rsa: &signature::RSA_PKCS1_2048_8192_SHA512,
    },
];

/// The content, if the key of `certificate` signed it. That this is the signer's certificate, and trusted, is the caller's
/// to know.
pub(in crate::identity) fn check<'d>(
    document: &'d SignedData,
    certificate: &Certificate,
    attributes: Attributes,
) -> Result<&'d [u8], Pkcs7Error> {
    let signer = document.signer();
    // Azure names the signature's algorithm in the digest's place: it says the same.
    let named = |hash: &&Hash| hash.digest == signer.digest || attributes == Attributes::Absent && hash.with_rsa == signer.digest;
    let hash = HASHES.iter().find(named).ok_or(Pkcs7Error::Digest)?;
    if signer.algorithm != RSA && signer.algorithm != hash.with_rsa {
        return Err(Pkcs7Error::Algorithm);
    }
    let signed = signed_bytes(document.content(), signer, hash, attributes)?;
    if certificate.bits() < LEAST_BITS {
        return Err(Pkcs7Error::KeyWeak(certificate.bits()));
    }
    let key = UnparsedPublicKey::new(hash.rsa, certificate.key());
    key.verify(&signed, &signer.signature).map_err(|_| Pkcs7Error::Signature)?;
    Ok(document.content())
}

/// What the signature is over: the content, or the attributes that hold its digest.
fn signed_bytes(content: &[u8], signer: &Signer, hash: &Hash, attributes: Attributes) -> Result<Vec<u8>, Pkcs7Error> {
    let found = match (&signer.attributes, attributes) {
        (None, Attributes::Absent) => return Ok(content.to_vec()),
        (Some(found), Attributes::Present) => found,
        (None, Attributes::Present) => return Err(Pkcs7Error::Attributes("signed attributes")),
        (Some(_), Attributes::Absent) => return Err(Pkcs7Error::Attributes("a signature over the content itself")),
    };
    // RFC 5652 §11.1: id-data, as the content is; a type of another content was signed for another purpose.
    if attribute(found, CONTENT_TYPE, OBJECT, "contentType")? != DATA {
        return Err(Pkcs7Error::ContentType);
    }
    if attribute(found, MESSAGE_DIGEST, OCTET_STRING, "messageDigest")? != digest(hash.of, content).as_ref() {
        return Err(Pkcs7Error::DigestMismatch);
    }
    // RFC 5652 §5.4: over the SET OF, not over the [0] that stands in its place.
    Ok(super::der::set_of(found))
}

/// The one value of the attribute that stands there once.
fn attribute<'a>(attributes: &'a [u8], object: &[u8], tag: u8, name: &'static str) -> Result<&'a [u8], Pkcs7Error> {
    let mut reader = Reader::new(attributes);
    let mut found = None;
    while !reader.is_empty() {
        let mut one = reader.enter(SEQUENCE, "signed attributes")?;
        if one.read(OBJECT, "signed attributes")? != object {
            continue;
        }
        let mut values = one.enter(SET, "signed attributes")?;
        one.finish("signed attributes")?;
        let value = values.read(tag, "signed attributes of their type")?;
        values.finish("signed attributes of one value")?;
        if found.replace(value).is_some() {
            return Err(Pkcs7Error::Malformed("each signed attribute once"));
        }
    }
    found.ok_or(Pkcs7Error::AttributeMissing(name))
}
