//! The certificate of a provider that signs: its key, its time, and nothing else. It is trusted because the signed policy holds
//! it, so no chain, name or extension of it is looked at (agent/design/0020).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::host::clock::Timestamp;
use crate::host::digest::sha256_hex;

/// A certificate in a policy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SigningCertificate {
    pub(super) key: SigningKey,
    /// Its begin.
    pub not_before: Timestamp,
    /// Its end.
    pub not_after: Timestamp,
    /// SHA-256 (hex) over its bytes, as directories show it.
    pub sha256: String,
    der: Vec<u8>,
}

/// A public key, as the crypto library takes it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SigningKey {
    /// RSAPublicKey (RFC 8017 §A.1.1), 2048 to 8192 bits.
    Rsa(Vec<u8>),
    /// A point on P-256, uncompressed.
    P256(Vec<u8>),
    /// A point on P-384, uncompressed.
    P384(Vec<u8>),
}

/// Why a text is not such a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No PEM at all.
    #[error("not a certificate in PEM")]
    NotPem,
    /// A private key: it must not stand here.
    #[error("a private key stands where a certificate belongs")]
    PrivateKey,
    /// More than one.
    #[error("more than one certificate in one text")]
    Several,
    /// The bytes within.
    #[error("not an X.509 certificate (RFC 5280 §4.1)")]
    Malformed,
    /// Another kind of key, or a shorter one.
    #[error("a key that is none of RSA (2048 to 8192 bits), P-256 and P-384")]
    Key,
}

impl std::fmt::Debug for SigningCertificate {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SigningCertificate({})", self.sha256)
    }
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

impl SigningCertificate {
    /// From PEM (RFC 7468 §5): one certificate.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        if text.contains("PRIVATE KEY-----") {
            return Err(CertificateError::PrivateKey);
        }
        let body = text.trim_ascii().strip_prefix(BEGIN).ok_or(CertificateError::NotPem)?;
        let body = body.strip_suffix(END).ok_or(CertificateError::NotPem)?;
        if body.contains("-----") {
            return Err(CertificateError::Several);
        }
        Self::from_base64(body)
    }

    /// From base64 with blanks in it, as metadata carries it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_base64(text: &str) -> Result<Self, CertificateError> {
        let body: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(body).map_err(|_| CertificateError::Malformed)?;
        let (key, not_before, not_after) = read(&der)?;
        Ok(Self { key, not_before, not_after, sha256: sha256_hex(&der), der })
    }

    /// As PEM, in lines of 64.
    pub fn to_pem(&self) -> String {
        let body = STANDARD.encode(&self.der);
        // Base64 is ASCII.
        let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
    }
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OBJECT: u8 = 0x06;
/// `[0] EXPLICIT Version`.
const VERSION: u8 = 0xa0;

/// 1.2.840.113549.1.1.1.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1.
const ELLIPTIC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.3.132.0.34.
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

/// RFC 5280 §4.1: as far as the key.
fn read(der: &[u8]) -> Result<(SigningKey, Timestamp, Timestamp), CertificateError> {
    let malformed = CertificateError::Malformed;
    let (certificate, rest) = take(der, SEQUENCE).ok_or(malformed)?;
    let (mut body, _) = take(certificate, SEQUENCE).filter(|_| rest.is_empty()).ok_or(malformed)?;
    if let Some((_, behind)) = take(body, VERSION) {
        body = behind;
    }
    let mut next = |tag| {
        let (found, behind) = take(body, tag).ok_or(malformed)?;
        body = behind;
        Ok(found)
    };
    let (_serial, _algorithm, _issuer) = (next(INTEGER)?, next(SEQUENCE)?, next(SEQUENCE)?);
    let validity = next(SEQUENCE)?;
    let _subject = next(SEQUENCE)?;
    let key = next(SEQUENCE)?;
    let (not_before, behind) = time(validity).ok_or(malformed)?;
    let (not_after, _) = time(behind).filter(|(_, rest)| rest.is_empty()).ok_or(malformed)?;
    let (algorithm, behind) = take(key, SEQUENCE).ok_or(malformed)?;
    let (bits, _) = take(behind, BITS).filter(|(_, rest)| rest.is_empty()).ok_or(malformed)?;
    // No bits are unused: the content is bytes.
    let bytes = bits.strip_prefix(&[0]).ok_or(malformed)?;
    let (kind, parameters) = take(algorithm, OBJECT).ok_or(malformed)?;
    let curve = take(parameters, OBJECT).map(|(curve, _)| curve);
    let key = match (kind, curve) {
        (RSA, None) if modulus_fits(bytes).ok_or(malformed)? => SigningKey::Rsa(bytes.to_vec()),
        (ELLIPTIC, Some(P256)) if bytes.len() == 65 && bytes[0] == 4 => SigningKey::P256(bytes.to_vec()),
        (ELLIPTIC, Some(P384)) if bytes.len() == 97 && bytes[0] == 4 => SigningKey::P384(bytes.to_vec()),
        _ => return Err(CertificateError::Key),
    };
    Ok((key, not_before, not_after))
}

/// The content of a value of this tag, and what stands behind it (X.690 §8.1, §10.1: a definite length, the shortest).
fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first().filter(|_| found == tag)?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (rest.first().map(|byte| usize::from(*byte)).filter(|length| *length >= 0x80)?, &rest[1..]),
        0x82 => {
            let (two, rest) = rest.split_first_chunk::<2>()?;
            (Some(usize::from(u16::from_be_bytes(*two))).filter(|length| *length >= 0x100)?, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// UTCTime or GeneralizedTime (RFC 5280 §4.1.2.5).
fn time(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (text, rest, long) = match take(bytes, 0x17) {
        Some((text, rest)) => (text, rest, false),
        None => take(bytes, 0x18).map(|(text, rest)| (text, rest, true))?,
    };
    let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii())?;
    let digits = text.strip_suffix('Z').filter(|digits| digits.len() == if long { 14 } else { 12 })?;
    let century = if digits < "50" { "20" } else { "19" };
    let full = if long { digits.to_owned() } else { format!("{century}{digits}") };
    let part = |from: usize, to: usize| &full[from..to];
    let shown = format!("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14));
    let parsed = time::OffsetDateTime::parse(&shown, &time::format_description::well_known::Rfc3339).ok()?;
    Some((Timestamp::from_seconds(parsed.unix_timestamp()), rest))
}

/// Whether an RSAPublicKey has 2048 to 8192 bits.
fn modulus_fits(bytes: &[u8]) -> Option<bool> {
    let (key, _) = take(bytes, SEQUENCE).filter(|(_, rest)| rest.is_empty())?;
    let (modulus, rest) = take(key, INTEGER)?;
    let (_exponent, _) = take(rest, INTEGER).filter(|(_, rest)| rest.is_empty())?;
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    Some((256..=1024).contains(&modulus.len()) && modulus[0] & 0x80 != 0)
}
