//! An OpenSSF Model Signing bundle (v1.0) of a version's files: a DSSE envelope around an in-toto statement, in a Sigstore bundle (v0.3),
//! under an ECDSA key over P-256. Anybody's `model_signing verify key` reads it.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::manifest::Manifest;
use crate::host::digest::{hex, sha256_hex};

const PAYLOAD: &str = "application/vnd.in-toto+json";

/// A key that signs bundles.
pub struct BundleKey(EcdsaKeyPair);

/// Not a private key over P-256 in PKCS#8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no private key over P-256 in PKCS#8 (RFC 5958)")]
pub struct NotABundleKey;

impl BundleKey {
    /// From PKCS#8 in DER.
    ///
    /// # Errors
    /// When it is something else.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, NotABundleKey> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der).map(Self).map_err(|_| NotABundleKey)
    }

    /// Its public half as PEM (RFC 7468 §13): what verifiers are handed.
    pub fn public_pem(&self) -> String {
        // SubjectPublicKeyInfo (RFC 5480 §2): id-ecPublicKey, secp256r1, a BIT STRING of the point.
        const HEAD: &[u8] = &[
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
            0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        let text = STANDARD.encode([HEAD, self.0.public_key().as_ref()].concat());
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// Signs a model of this name. `None`: the library refuses to sign.
    pub fn sign(&self, name: &str, files: &Manifest) -> Option<String> {
        let payload = statement(name, files.files());
        // DSSE v1: what is signed names its type and its length.
        let signed = format!("DSSEv1 {} {PAYLOAD} {} {payload}", PAYLOAD.len(), payload.len());
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": { "publicKey": { "hint": sha256_hex(self.public_pem().as_bytes()) }, "tlogEntries": [] },
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload),
                "payloadType": PAYLOAD,
                "signatures": [{ "sig": STANDARD.encode(signature.as_ref()), "keyid": "" }],
            },
        });
        Some(bundle.to_string())
    }
}

/// in-toto Statement v1 with the predicate of OpenSSF Model Signing.
fn statement(name: &str, files: &BTreeMap<String, [u8; 32]>) -> String {
    let mut all = Context::new(&SHA256);
    files.values().for_each(|digest| all.update(digest));
    let resource = |(path, digest): (&String, &[u8; 32])| json!({ "name": path, "digest": hex(digest), "algorithm": "sha256" });
    let resources: Vec<_> = files.iter().map(resource).collect();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": name, "digest": { "sha256": hex(all.finish().as_ref()) } }],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "resources": resources,
            "serialization": { "method": "files", "hash_type": "sha256", "allow_symlinks": false, "ignore_paths": [] },
        },
    })
    .to_string()
}
