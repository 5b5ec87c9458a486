//! Keys of an issuer: which of them may be relied on, and for what (RFC 7517, RFC 8725 §3.1 and §3.5).

use aws_lc_rs::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::strict_json;
use super::trust::Algorithm;
use super::unproven::Unproven;

/// No set holds more.
const MOST_KEYS: usize = 64;

/// An issuer's usable keys.
pub(super) struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    material: Material,
    /// `alg`, where the issuer binds the key to one.
    bound: Option<String>,
}

enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// The word of an algorithm in `alg`.
pub(super) fn word(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RS256 => "RS256",
        Algorithm::RS384 => "RS384",
        Algorithm::RS512 => "RS512",
        Algorithm::PS256 => "PS256",
        Algorithm::PS384 => "PS384",
        Algorithm::PS512 => "PS512",
        Algorithm::ES256 => "ES256",
        Algorithm::ES384 => "ES384",
        Algorithm::EdDSA => "EdDSA",
    }
}

impl KeySet {
    /// Reads a key set. A key that must not be relied on is left out; it does not spoil the others. A key id that stands
    /// twice leaves both out: which of them was meant is the attacker's choice.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Unproven> {
        let malformed = Unproven::Malformed { what: "keys", detail: "a JWK set (RFC 7517 §5)" };
        let set = strict_json::object(bytes).map_err(|_| malformed.clone())?;
        let list = set.get("keys").and_then(Value::as_array).filter(|list| list.len() <= MOST_KEYS).ok_or(malformed)?;
        let ids: Vec<Option<&str>> = list.iter().map(|key| key.get("kid").and_then(Value::as_str)).collect();
        let unique = |id: Option<&str>| id.is_none() || ids.iter().filter(|other| **other == id).count() == 1;
        let keys = list.iter().zip(&ids).filter(|(_, id)| unique(**id)).filter_map(|(key, id)| Key::parse(key.as_object()?, *id));
        Ok(Self(keys.collect()))
    }

    /// Checks a signature with the key that the token names; without a name, with the only key that fits.
    pub(super) fn verify(&self, id: Option<&str>, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        let key = match id {
            Some(id) => self
                .0
                .iter()
                .find(|key| key.id.as_deref() == Some(id))
                .ok_or_else(|| Refusal::KeyUnknown { expected: self.ids(), presented: id.to_owned() })?,
            None => {
                let mut fitting = self.0.iter().filter(|key| key.fits(algorithm));
                match (fitting.next(), fitting.next()) {
                    (Some(only), None) => only,
                    (None, _) => return Err(Refusal::KeyUnknown { expected: self.ids(), presented: "none named".into() }),
                    (Some(_), Some(_)) => return Err(Refusal::KeyAmbiguous { expected: self.ids() }),
                }
            }
        };
        if !key.fits(algorithm) {
            let (expected, presented) = (word(algorithm).to_owned(), id.unwrap_or_default().to_owned());
            return Err(Refusal::KeyUnfit { expected, presented });
        }
        if key.verifies(algorithm, message, signature) { Ok(()) } else { Err(Refusal::SignatureInvalid) }
    }

    /// The ids of the usable keys, for a screen.
    fn ids(&self) -> String {
        let ids: Vec<&str> = self.0.iter().filter_map(|key| key.id.as_deref()).collect();
        if ids.is_empty() { "none is published".to_owned() } else { ids.join(", ") }
    }
}

impl Key {
    fn parse(jwk: &Map<String, Value>, id: Option<&str>) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        // RFC 7517 §4.2, §4.3: a key for something else does not check signatures.
        let for_signatures = text("use").is_none_or(|word| word == "sig");
        let verifies = jwk.get("key_ops").is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")));
        let private = ["d", "p", "q", "k"].iter().any(|name| jwk.contains_key(*name));
        if !for_signatures || !verifies || private {
            return None;
        }
        let bytes = |name: &str| text(name).and_then(|value| URL_SAFE_NO_PAD.decode(value).ok());
        let coordinates = |size: usize| -> Option<Vec<u8>> {
            let (x, y) = (bytes("x")?, bytes("y")?);
            // SEC 1 §2.3.3, uncompressed; the library checks that the point is on the curve.
            (x.len() == size && y.len() == size).then(|| [&[4][..], &x, &y].concat())
        };
        let material = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (n, e) = (bytes("n")?, bytes("e")?);
                fit_rsa(&n, &e).then_some(Material::Rsa { n, e })?
            }
            ("EC", Some("P-256")) => Material::P256(coordinates(32)?),
            ("EC", Some("P-384")) => Material::P384(coordinates(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x").filter(|x| x.len() == 32)?),
            _ => return None,
        };
        Some(Self { id: id.map(str::to_owned), material, bound: text("alg").map(str::to_owned) })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match (&self.material, algorithm) {
            (
                Material::Rsa { .. },
                Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 | Algorithm::PS256 | Algorithm::PS384 | Algorithm::PS512,
            )
            | (Material::P256(_), Algorithm::ES256)
            | (Material::P384(_), Algorithm::ES384)
            | (Material::Ed25519(_), Algorithm::EdDSA) => true,
            (Material::Rsa { .. } | Material::P256(_) | Material::P384(_) | Material::Ed25519(_), _) => false,
        };
        kind && self.bound.as_deref().is_none_or(|bound| bound == word(algorithm))
    }

    fn verifies(&self, algorithm: Algorithm, message: &[u8], given: &[u8]) -> bool {
        let rsa = |parameters: &'static RsaParameters, n: &[u8], e: &[u8]| {
            RsaPublicKeyComponents { n, e }.verify(parameters, message, given).is_ok()
        };
        match (&self.material, algorithm) {
            (Material::Rsa { n, e }, Algorithm::RS256) => rsa(&signature::RSA_PKCS1_2048_8192_SHA256, n, e),
            (Material::Rsa { n, e }, Algorithm::RS384) => rsa(&signature::RSA_PKCS1_2048_8192_SHA384, n, e),
            (Material::Rsa { n, e }, Algorithm::RS512) => rsa(&signature::RSA_PKCS1_2048_8192_SHA512, n, e),
            (Material::Rsa { n, e }, Algorithm::PS256) => rsa(&signature::RSA_PSS_2048_8192_SHA256, n, e),
            (Material::Rsa { n, e }, Algorithm::PS384) => rsa(&signature::RSA_PSS_2048_8192_SHA384, n, e),
            (Material::Rsa { n, e }, Algorithm::PS512) => rsa(&signature::RSA_PSS_2048_8192_SHA512, n, e),
            (Material::P256(point), Algorithm::ES256) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, given).is_ok()
            }
            (Material::P384(point), Algorithm::ES384) => {
                UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point).verify(message, given).is_ok()
            }
            (Material::Ed25519(point), Algorithm::EdDSA) => {
                UnparsedPublicKey::new(&signature::ED25519, point).verify(message, given).is_ok()
            }
            (Material::Rsa { .. } | Material::P256(_) | Material::P384(_) | Material::Ed25519(_), _) => false,
        }
    }
}

/// At least 2048 bits, odd, and an odd exponent from 65537 that fits 64 bits (RFC 7518 §3.3, NIST SP 800-56B §6.2).
fn fit_rsa(n: &[u8], e: &[u8]) -> bool {
    let n = n.strip_prefix(&[0]).unwrap_or(n);
    let long = (256..=1024).contains(&n.len()) && n[0] & 0x80 != 0;
    let exponent = (e.len() <= 8).then(|| e.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte)));
    long && n.last().is_some_and(|byte| byte & 1 == 1) && exponent.is_some_and(|exponent| exponent >= 65_537 && exponent & 1 == 1)
}
