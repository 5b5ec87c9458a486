//! JWS in its compact serialisation (RFC 7515 §7.1) under an Ed25519 key (RFC 8037 §3.1): what contexts, certificates and a node's
//! statements have in common.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::node_key::NodeKey;

/// The header of what a node signs. RFC 8725 §3.11: explicit typing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// `EdDSA`, and nothing else.
    pub alg: String,
    /// The node key's thumbprint.
    pub kid: String,
    /// The authority's certificate of the node key, where the authority is a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lhc: Option<String>,
    /// What it is.
    pub typ: String,
}

/// A token's three parts, decoded.
pub struct Parts<'a> {
    /// The header's JSON.
    pub header: Vec<u8>,
    /// The payload.
    pub payload: Vec<u8>,
    /// What was signed.
    pub signed: &'a [u8],
    /// The signature.
    pub signature: Vec<u8>,
}

/// Signs a payload.
pub fn sign(header: &impl Serialize, payload: &impl Serialize, key: &NodeKey) -> String {
    let header = serde_json::to_vec(header).expect("headers are strings");
    let payload = serde_json::to_vec(payload).expect("payloads are strings, numbers and lists of them");
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Takes a token apart.
///
/// # Errors
/// What about its form is wrong.
pub fn split(token: &[u8]) -> Result<Parts<'_>, &'static str> {
    let mut dots = token.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at);
    let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
        return Err("another number of parts");
    };
    let decode = |part: &[u8]| URL_SAFE_NO_PAD.decode(part).map_err(|_| "a part that is not base64url");
    let header = decode(&token[..first])?;
    let payload = decode(&token[first + 1..second])?;
    let signature = decode(&token[second + 1..])?;
    Ok(Parts { header, payload, signed: &token[..second], signature })
}
