//! Who vouches for a node key when the authority is a key: a certificate is a JWT with `cnf.jwk` (RFC 7800 §3.2).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::node_key::{KeyError, NodeKey, NodePublicKey};
use crate::host::clock::Timestamp;
use std::time::Duration;

const TYPE: &str = "longhorn-node-key+jwt";

/// An authority's private key.
#[derive(Debug)]
pub struct AuthorityKey(NodeKey);

/// An authority's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityPublicKey(NodePublicKey);

/// A certificate of one node key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate(String);

impl Certificate {
    /// The JWT.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a certificate does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The token carries none.
    #[error("none")]
    Absent,
    /// Not one of ours.
    #[error("something that is not one")]
    Malformed,
    /// Not signed by this authority.
    #[error("one that this authority did not sign")]
    SignatureInvalid,
    /// Over, or not begun.
    #[error("one that holds from {from} until {until}")]
    OutOfTime {
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    iat: i64,
    exp: i64,
    cnf: Confirmation,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    jwk: Jwk,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    crv: String,
    kty: String,
    x: String,
}

impl AuthorityKey {
    /// The key of a seed.
    ///
    /// # Errors
    /// When the crypto library refuses it.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        NodeKey::from_seed(seed).map(Self)
    }

    /// The public half.
    pub fn public(&self) -> AuthorityPublicKey {
        AuthorityPublicKey(self.0.public().clone())
    }

    /// Certifies a node key from `now` for `lifetime`.
    pub fn certify(&self, node: &NodePublicKey, now: Timestamp, lifetime: Duration) -> Certificate {
        let header = Header { alg: "EdDSA".into(), typ: TYPE.into() };
        let jwk = Jwk { crv: "Ed25519".into(), kty: "OKP".into(), x: URL_SAFE_NO_PAD.encode(node.as_bytes()) };
        let body = Body { iat: now.seconds(), exp: now.plus(lifetime).seconds(), cnf: Confirmation { jwk } };
        let part = |bytes: serde_json::Result<Vec<u8>>| URL_SAFE_NO_PAD.encode(bytes.expect("strings and numbers"));
        let signed = format!("{}.{}", part(serde_json::to_vec(&header)), part(serde_json::to_vec(&body)));
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(signed.as_bytes()));
        Certificate(format!("{signed}.{signature}"))
    }
}

impl AuthorityPublicKey {
    /// From `ed25519:` and base64.
    ///
    /// # Errors
    /// When it is something else.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let body = text.trim().strip_prefix("ed25519:").ok_or(KeyError::NotEd25519)?;
        let bytes = STANDARD.decode(body).map_err(|_| KeyError::NotEd25519)?;
        NodePublicKey::from_bytes(&bytes).map(Self)
    }
}

impl std::fmt::Display for AuthorityPublicKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "ed25519:{}", STANDARD.encode(self.0.as_bytes()))
    }
}

/// The node key that a certificate vouches for at that time.
pub(super) fn certified(
    certificate: &str,
    authority: &AuthorityPublicKey,
    at: Timestamp,
) -> Result<NodePublicKey, CertificateError> {
    let (signed, signature) = certificate.rsplit_once('.').ok_or(CertificateError::Malformed)?;
    let (header, body) = signed.split_once('.').ok_or(CertificateError::Malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| CertificateError::Malformed);
    if !authority.0.verify(signed.as_bytes(), &decode(signature)?) {
        return Err(CertificateError::SignatureInvalid);
    }
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| CertificateError::Malformed)?;
    let body: Body = serde_json::from_slice(&decode(body)?).map_err(|_| CertificateError::Malformed)?;
    if header.alg != "EdDSA" || header.typ != TYPE {
        return Err(CertificateError::Malformed);
    }
    let (from, until) = (Timestamp::from_seconds(body.iat), Timestamp::from_seconds(body.exp));
    if !(from <= at && at < until) {
        return Err(CertificateError::OutOfTime { from, until });
    }
    let jwk = serde_json::to_vec(&body.cnf.jwk).map_err(|_| CertificateError::Malformed)?;
    NodePublicKey::from_jwk(&jwk).map_err(|_| CertificateError::Malformed)
}
