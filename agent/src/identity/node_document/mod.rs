//! What a cloud signs about the machine that this node runs on: which one it is, and whose. Values are parsed only from what
//! was signed; what else came along is never looked at.

mod aws;
mod azure;
mod gcp;
mod moment;
mod refusal;

pub use refusal::NodeRefusal;

pub use aws::region_fits;
pub use azure::uuid;
pub(super) use moment::moment;

use serde_json::{Map, Value};

use super::node_trust::{Cloud, NodeTrust};
use super::strict_json::{StrictError, object};
use super::unproven::Unproven;
use super::verified::Verified;
use super::verify::{Proof, Rules};
use crate::evidence::NodeDocumentClaim;
use crate::host::digest::sha256_hex;

/// What a cloud proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeProof {
    /// Which cloud.
    pub cloud: Cloud,
    /// Whose machine: an account, a subscription, a project.
    pub owner: String,
    /// The machine, by the cloud's own id.
    pub instance: String,
    /// Its address in the cloud's network, where the document says it.
    pub address: Option<String>,
}

/// Whether a node asks to be let in, or is in and shows that it still may be. A document that never ends proves a machine's
/// youth once: when it joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It joins.
    Join,
    /// It was let in by this boot's node key before.
    Renewal,
}

/// The nonce that ties an Azure document to a node key: 128 bits of a digest of its thumbprint, as 32 letters and digits,
/// which is what the service is known to take.
pub fn nonce(thumbprint: &str) -> String {
    sha256_hex(thumbprint.as_bytes())[..32].to_owned()
}

/// The audience that ties a Google token to a node key: the policy's, a slash, and the key's thumbprint.
pub fn audience(policy: &str, thumbprint: &str) -> String {
    format!("{policy}/{thumbprint}")
}

/// Verifies what the metadata service said.
pub(super) fn verify(claim: &NodeDocumentClaim, rules: &Rules<'_>) -> Result<Verified<Proof>, Unproven> {
    let presented = claim.cloud().word();
    match (claim, &rules.trust.node) {
        (NodeDocumentClaim::Aws(document), Some(NodeTrust::Aws(trust))) => aws::verify(document, trust, rules).map_err(refused),
        (NodeDocumentClaim::Azure(answer), Some(NodeTrust::Azure(trust))) => azure::verify(answer, trust, rules).map_err(refused),
        (NodeDocumentClaim::Gcp(token), Some(NodeTrust::Gcp(trust))) => gcp::verify(token, trust, rules),
        (_, trust) => {
            let expected = trust.as_ref().map_or("none", |trust| trust.cloud().word());
            Err(refused(NodeRefusal::CloudUntrusted { expected, presented }))
        }
    }
}

fn refused(refusal: NodeRefusal) -> Unproven {
    Unproven::Refused(refusal.into())
}

/// Signed bytes as one JSON object without a name that stands twice.
fn signed_object(bytes: &[u8]) -> Result<Map<String, Value>, NodeRefusal> {
    object(bytes).map_err(|error| match error {
        StrictError::Duplicate => NodeRefusal::Ambiguous,
        StrictError::Malformed => NodeRefusal::Malformed("signed content that is one JSON object"),
    })
}

/// A text of the signed content that a check accepts.
fn field<'a>(object: &'a Map<String, Value>, name: &'static str, accept: impl Fn(&str) -> bool) -> Result<&'a str, NodeRefusal> {
    match object.get(name) {
        None | Some(Value::Null) => Err(NodeRefusal::FieldMissing(name)),
        Some(Value::String(text)) if text.len() <= 256 && accept(text) => Ok(text),
        Some(_) => Err(NodeRefusal::FieldMalformed(name)),
    }
}

/// Standard base64 in lines, strictly otherwise.
fn base64_lines(text: &[u8]) -> Result<Vec<u8>, NodeRefusal> {
    use base64::Engine;
    // A third more than what is inside, and line ends.
    const MOST: usize = 96 * 1024;
    if text.len() > MOST {
        return Err(NodeRefusal::Oversized { most: MOST, presented: text.len() });
    }
    let bare: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    base64::engine::general_purpose::STANDARD.decode(bare).map_err(|_| NodeRefusal::Malformed("base64"))
}

fn list<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    texts.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
