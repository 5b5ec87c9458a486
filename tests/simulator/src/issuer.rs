//! A small OpenID issuer: keys made at start, tokens with whatever header and claims a test asks for.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The issuer's keys.
pub struct Issuer {
    rsa: RsaKeyPair,
    other: RsaKeyPair,
    ec: EcdsaKeyPair,
}

/// Encodes as JOSE does (RFC 7515 §2).
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Issuer {
    /// Makes keys.
    ///
    /// # Errors
    /// When the crypto library refuses.
    pub fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let rsa = || RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| "no RSA key");
        Ok(Self {
            rsa: rsa()?,
            other: rsa()?,
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| "no EC key")?,
        })
    }

    /// The published keys: `rsa-1` and `ec-1`.
    pub fn keys(&self) -> Value {
        let public = self.rsa.public_key();
        let point = self.ec.public_key().as_ref();
        json!({ "keys": [
            { "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "rsa-1", "n": encode(public.modulus().big_endian_without_leading_zero()), "e": encode(public.exponent().big_endian_without_leading_zero()) },
            { "kty": "EC", "use": "sig", "alg": "ES256", "kid": "ec-1", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..65]) },
        ] })
    }

    /// The claims of a token that `rsa-1` signed.
    pub fn claims(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.rsa.public_key());
        key.verify(signed.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?).ok()
    }

    /// Signs `header.claims`, both as raw JSON text, with `rsa`, `other` (an unpublished key), `ec`, `none`, or
    /// `public`: an HMAC whose key is the published RSA key (RFC 8725 §2.1).
    ///
    /// # Errors
    /// When the key is unknown or refuses.
    pub fn mint(&self, header: &str, claims: &str, key: &str) -> Result<String, Box<dyn std::error::Error>> {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let random = SystemRandom::new();
        let rsa = |pair: &RsaKeyPair| -> Result<Vec<u8>, Box<dyn std::error::Error>> {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).map_err(|_| "cannot sign")?;
            Ok(signature)
        };
        let signature = match key {
            "rsa" => rsa(&self.rsa)?,
            "other" => rsa(&self.other)?,
            "ec" => self.ec.sign(&random, signed.as_bytes()).map_err(|_| "cannot sign")?.as_ref().to_vec(),
            "none" => Vec::new(),
            "public" => {
                let known = AsDer::<PublicKeyX509Der>::as_der(self.rsa.public_key()).map_err(|_| "no public key")?;
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, known.as_ref()), signed.as_bytes()).as_ref().to_vec()
            }
            unknown => return Err(format!("no key {unknown}").into()),
        };
        Ok(format!("{signed}.{}", encode(signature)))
    }
}
