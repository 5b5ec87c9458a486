//! What choosing a signer needs of an X.509 certificate (RFC 5280 §4.1): whose it is, by which number, which key, how long.
//! Chains, usages and names are rustls-webpki's.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::der::{BIT_STRING, CONTEXT_0, GENERALIZED_TIME, INTEGER, OBJECT, Reader, SEQUENCE, UTC_TIME};
use super::error::Pkcs7Error;
use crate::host::clock::Timestamp;
use crate::host::digest::{hex, sha256_hex};

/// rsaEncryption (RFC 8017 A.1).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// No shorter key counts, in bits (NIST SP 800-131A).
pub const LEAST_BITS: usize = 2048;

/// A certificate, whole, and what was read of it. Being one says nothing of whether it is trusted.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: CertificateDer<'static>,
    issuer: Vec<u8>,
    serial: Vec<u8>,
    key: Vec<u8>,
    bits: usize,
    begins: Timestamp,
    ends: Timestamp,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Certificate({})", self.serial())
    }
}

/// Why a text holds no certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No `-----BEGIN CERTIFICATE-----` in it.
    #[error("no certificate in PEM")]
    NotPem,
    /// What is in the armour is none.
    #[error("not an X.509 certificate")]
    NotCertificate,
}

impl Certificate {
    /// Every certificate of a PEM text (RFC 7468); at least one.
    ///
    /// # Errors
    /// When there is none, or one of them is none.
    pub fn from_pem(text: &str) -> Result<Vec<Self>, CertificateError> {
        let mut found = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            let der = certificate.map_err(|_| CertificateError::NotPem)?;
            found.push(Self::parse(&der).map_err(|_| CertificateError::NotCertificate)?);
        }
        if found.is_empty() { Err(CertificateError::NotPem) } else { Ok(found) }
    }

    /// One certificate in DER.
    pub(super) fn parse(der: &[u8]) -> Result<Self, Pkcs7Error> {
        const WHAT: &str = "X.509 certificates";
        let mut outer = Reader::new(der);
        let mut certificate = outer.enter(SEQUENCE, WHAT)?;
        outer.finish(WHAT)?;
        let mut body = certificate.enter(SEQUENCE, WHAT)?;
        let _version = body.optional(CONTEXT_0, WHAT)?;
        let serial = body.read(INTEGER, WHAT)?;
        let _algorithm = body.read(SEQUENCE, WHAT)?;
        let (issuer, _) = body.read_whole(SEQUENCE, WHAT)?;
        let mut validity = body.enter(SEQUENCE, WHAT)?;
        let (begins, ends) = (time(&mut validity)?, time(&mut validity)?);
        validity.finish(WHAT)?;
        let _subject = body.read(SEQUENCE, WHAT)?;
        let (key, bits) = rsa(&mut body.enter(SEQUENCE, WHAT)?)?;
        Ok(Self {
            der: CertificateDer::from(der.to_vec()),
            issuer: issuer.to_vec(),
            serial: serial.to_vec(),
            key,
            bits,
            begins,
            ends,
        })
    }

    /// Whole, in DER.
    pub(in crate::identity) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Whether a signer that names its certificate like this means this one.
    pub(in crate::identity) fn is(&self, issuer: &[u8], serial: &[u8]) -> bool {
        self.issuer == issuer && self.serial == serial
    }

    /// SHA-256 (hex) over all of it.
    pub fn digest(&self) -> String {
        sha256_hex(&self.der)
    }

    /// The serial number in hex.
    pub fn serial(&self) -> String {
        hex(&self.serial)
    }

    /// The RSAPublicKey in DER; empty where the key is of another kind.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The bits of its modulus; none where the key is of another kind.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// From when until when it may be relied on.
    pub(in crate::identity) fn validity(&self) -> (Timestamp, Timestamp) {
        (self.begins, self.ends)
    }
}

/// SubjectPublicKeyInfo of an RSA key: the key and its bits. A key of another kind signs no document; roots may have one.
fn rsa(info: &mut Reader<'_>) -> Result<(Vec<u8>, usize), Pkcs7Error> {
    const WHAT: &str = "a public key";
    let mut algorithm = info.enter(SEQUENCE, WHAT)?;
    if algorithm.read(OBJECT, WHAT)? != RSA {
        return Ok((Vec::new(), 0));
    }
    let key = info.read(BIT_STRING, WHAT)?.strip_prefix(&[0]).ok_or(Pkcs7Error::Malformed(WHAT))?;
    let modulus = Reader::new(key).enter(SEQUENCE, WHAT)?.read(INTEGER, WHAT)?;
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let leading = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    Ok((key.to_vec(), modulus.len() * 8 - leading))
}

/// RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime after; whole seconds, in UTC.
fn time(reader: &mut Reader<'_>) -> Result<Timestamp, Pkcs7Error> {
    const WHAT: &str = "times as certificates have them";
    let malformed = Pkcs7Error::Malformed(WHAT);
    let text = match reader.optional(UTC_TIME, WHAT)? {
        Some(short) => [if short.first().is_some_and(|tens| *tens >= b'5') { b"19" } else { b"20" }, short].concat(),
        None => reader.read(GENERALIZED_TIME, WHAT)?.to_vec(),
    };
    let digits = text.strip_suffix(b"Z").filter(|digits| digits.len() == 14 && digits.iter().all(u8::is_ascii_digit));
    let digits = digits.ok_or(malformed)?;
    let number = |from: usize, to: usize| digits[from..to].iter().fold(0u16, |value, digit| value * 10 + u16::from(digit - b'0'));
    super::super::node_document::moment(
        i32::from(number(0, 4)),
        [number(4, 6), number(6, 8), number(8, 10), number(10, 12), number(12, 14)].map(|part| part as u8),
    )
    .ok_or(malformed)
}
