//! Who vouches for a node key when the authority is a key or an issuer: a certificate is a JWT with `cnf.jwk` (RFC 7800 §3.2).
//! An issuer's names itself, the machine, the boot and which of its keys signed.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::compact;
use super::node_key::{KeyError, NodeKey, NodePublicKey, StrictJwk};
use crate::host::clock::Timestamp;
use std::time::Duration;

const TYPE: &str = "longhorn-node-key+jwt";
/// How far a node's clock may be behind its issuer's.
const LEEWAY: Duration = Duration::from_secs(60);

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

    /// What somebody handed over as a certificate, held against the authority's keys at that time.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn accept(text: &str, authority: &[AuthorityPublicKey], at: Timestamp) -> Result<(Self, Vouched), CertificateError> {
        certified(text, authority, at).map(|vouched| (Self(text.to_owned()), vouched))
    }
}

/// What an issuer's certificate says beside the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// `iss`: the issuer.
    pub issuer: String,
    /// `sub`: the machine, as `<cloud>:<owner>/<instance>`.
    pub instance: String,
    /// `boot`: the kernel's boot id, by the node's own word.
    pub boot: String,
}

/// What a certificate vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The node key.
    pub key: NodePublicKey,
    /// The machine; an authority that is a bare key names none.
    pub machine: Option<Machine>,
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
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
    /// Of another boot of this machine, or of another machine.
    #[error("one of another boot")]
    OtherBoot,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    typ: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boot: Option<String>,
    cnf: Confirmation,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    jwk: StrictJwk,
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
        self.sign(None, body(node, now, lifetime))
    }

    /// The same of a machine's key, as an issuer does it. It counts from a little earlier: the node's clock may be behind.
    pub fn certify_machine(&self, node: &NodePublicKey, machine: &Machine, now: Timestamp, lifetime: Duration) -> Certificate {
        let body = Body {
            nbf: Some(now.minus(LEEWAY).seconds()),
            iss: Some(machine.issuer.clone()),
            sub: Some(machine.instance.clone()),
            boot: Some(machine.boot.clone()),
            ..body(node, now, lifetime)
        };
        self.sign(Some(self.0.public().thumbprint()), body)
    }

    fn sign(&self, kid: Option<String>, body: Body) -> Certificate {
        let header = Header { alg: "EdDSA".into(), kid, typ: TYPE.into() };
        Certificate(compact::sign(&header, &body, &self.0))
    }
}

fn body(node: &NodePublicKey, now: Timestamp, lifetime: Duration) -> Body {
    let (iat, exp) = (now.seconds(), now.plus(lifetime).seconds());
    Body { iat, nbf: None, exp, iss: None, sub: None, boot: None, cnf: Confirmation { jwk: StrictJwk::of(node) } }
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

    /// Every Ed25519 key of a key set (RFC 7517 §5); others are passed over.
    ///
    /// # Errors
    /// When it is no key set, or holds no such key.
    pub fn of_key_set(text: &[u8]) -> Result<Vec<Self>, KeyError> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let set: Set = serde_json::from_slice(text).map_err(|_| KeyError::NotJwk)?;
        let key = |jwk: &serde_json::Value| NodePublicKey::from_jwk(jwk.to_string().as_bytes()).ok().map(Self);
        let keys: Vec<Self> = set.keys.iter().filter_map(key).collect();
        if keys.is_empty() { Err(KeyError::NotJwk) } else { Ok(keys) }
    }

    /// Its `kid`: the RFC 7638 thumbprint.
    pub fn kid(&self) -> String {
        self.0.thumbprint()
    }

    /// As an entry of a key set.
    pub fn to_jwk(&self) -> serde_json::Value {
        serde_json::json!({
            "alg": "EdDSA", "crv": "Ed25519", "kid": self.kid(), "kty": "OKP", "use": "sig",
            "x": URL_SAFE_NO_PAD.encode(self.0.as_bytes()),
        })
    }
}

impl std::fmt::Display for AuthorityPublicKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "ed25519:{}", STANDARD.encode(self.0.as_bytes()))
    }
}

/// What a certificate vouches for at that time, by the word of one of these keys.
pub(super) fn certified(certificate: &str, authority: &[AuthorityPublicKey], at: Timestamp) -> Result<Vouched, CertificateError> {
    let parts = compact::split(certificate.as_bytes()).map_err(|_| CertificateError::Malformed)?;
    let signer = authority.iter().find(|key| key.0.verify(parts.signed, &parts.signature));
    let signer = signer.ok_or(CertificateError::SignatureInvalid)?;
    let header: Header = serde_json::from_slice(&parts.header).map_err(|_| CertificateError::Malformed)?;
    let body: Body = serde_json::from_slice(&parts.payload).map_err(|_| CertificateError::Malformed)?;
    let named = header.kid.is_none_or(|kid| kid == signer.kid());
    if header.alg != "EdDSA" || header.typ != TYPE || !named {
        return Err(CertificateError::Malformed);
    }
    let (from, until) = (Timestamp::from_seconds(body.nbf.unwrap_or(body.iat)), Timestamp::from_seconds(body.exp));
    if !(from <= at && at < until) {
        return Err(CertificateError::OutOfTime { from, until });
    }
    let machine = match (body.iss, body.sub, body.boot) {
        (Some(issuer), Some(instance), Some(boot)) => Some(Machine { issuer, instance, boot }),
        (None, None, None) => None,
        _ => return Err(CertificateError::Malformed),
    };
    let key = body.cnf.jwk.key().map_err(|_| CertificateError::Malformed)?;
    Ok(Vouched { key, machine, from, until })
}
