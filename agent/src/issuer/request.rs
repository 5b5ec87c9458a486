//! What a node asks with: a JWS (RFC 7515) by the node key over everything, challenge and evidence among it. Holding a
//! [`Request`] tells that whoever holds that key made it for this issuer; what the evidence is worth is not looked at yet.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use crate::context::{NodeKey, NodePublicKey, StrictJwk, compact};
use crate::host::digest::sha256_hex;
use crate::identity::node_trust::Cloud;

/// No request is larger, in bytes: a document of 96 KiB, in JSON, in base64.
pub const MOST: usize = 192 * 1024;
/// The `typ` (RFC 8725 §3.11): nothing else that a node key signs is a request.
pub const TYPE: &str = "longhorn-certify+jwt";

/// A request, its proof of possession checked.
#[derive(Debug)]
#[must_use]
pub struct Request {
    /// The node key.
    pub key: NodePublicKey,
    /// As the issuer gave it.
    pub challenge: String,
    /// The kernel's boot id, by the node's own word.
    pub boot: String,
    /// Whose document it is said to be.
    pub cloud: Cloud,
    /// As the metadata service gave it.
    pub document: Vec<u8>,
    /// SHA-256 (hex) over the request.
    pub digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    jwk: StrictJwk,
    typ: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    aud: String,
    boot: String,
    challenge: String,
    cloud: String,
    document: String,
}

/// What a document is asked for under: the key's thumbprint and the challenge. Clouds that take a value of ours sign it.
pub fn binding(thumbprint: &str, challenge: &str) -> String {
    format!("{thumbprint}.{challenge}")
}

/// A node's request to `issuer`.
pub fn compose(key: &NodeKey, issuer: &str, challenge: &str, boot: &str, cloud: Cloud, document: &[u8]) -> String {
    let header = Header { alg: "EdDSA".into(), jwk: StrictJwk::of(key.public()), typ: TYPE.into() };
    let body = Body {
        aud: issuer.into(),
        boot: boot.into(),
        challenge: challenge.into(),
        cloud: cloud.word().into(),
        document: String::from_utf8_lossy(document).into_owned(),
    };
    compact::sign(&header, &body, key)
}

impl Request {
    /// Reads a request to `issuer`.
    ///
    /// # Errors
    /// When it is none, or was not signed by the key that it names, or for somebody else.
    pub fn read(bytes: &[u8], issuer: &str) -> Result<Self, Refusal> {
        if bytes.len() > MOST {
            return Err(Refusal::Oversized);
        }
        let parts = compact::split(bytes).map_err(|_| Refusal::Malformed("three parts of base64url"))?;
        let header: Header = serde_json::from_slice(&parts.header).map_err(|_| Refusal::Malformed("a header"))?;
        // RFC 8725 §3.1: the algorithm is ours, never the token's choice.
        if header.alg != "EdDSA" || header.typ != TYPE {
            return Err(Refusal::Malformed("a header with alg EdDSA and our typ"));
        }
        let key = header.jwk.key().map_err(|_| Refusal::Malformed("an Ed25519 key"))?;
        if !key.verify(parts.signed, &parts.signature) {
            return Err(Refusal::NotPossessed);
        }
        let body: Body = serde_json::from_slice(&parts.payload).map_err(|_| Refusal::Malformed("a body"))?;
        if body.aud != issuer {
            return Err(Refusal::OtherIssuer);
        }
        // One text for one boot: the kernel writes it in lower case.
        let lower = !body.boot.bytes().any(|byte| byte.is_ascii_uppercase());
        if !lower || !crate::identity::node_document::uuid(&body.boot) {
            return Err(Refusal::Malformed("a boot id as the kernel writes it"));
        }
        let cloud = Cloud::WORDS.iter().find(|(word, _)| *word == body.cloud).map(|(_, cloud)| *cloud);
        let cloud = cloud.ok_or(Refusal::Malformed("a cloud"))?;
        Ok(Self {
            key,
            challenge: body.challenge,
            boot: body.boot,
            cloud,
            document: body.document.into_bytes(),
            digest: sha256_hex(bytes),
        })
    }
}
