//! The signature of a policy: Ed25519 over a domain tag and the file's bytes, beside the policy with `.sig` appended.
//!
//! One line: `longhorn-policy-v1 ed25519:<public key> <signature>`, both base64.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::document::as_text;
use super::problem::Problems;
use super::read_policy::read_policy;
use super::settings::PolicyPin;
use crate::context::{NodeKey, NodePublicKey};
use crate::decision::policy::Policy;
use crate::exit::Exit;
use crate::host::clock::Timestamp;
use crate::identity::ids::WorkspaceHost;
use crate::screen::Screen;

const TAG: &str = "longhorn-policy-v1";

/// Why a policy is not the one to decide by.
#[derive(Debug, thiserror::Error)]
pub enum PolicyRefusal {
    /// The signature file is not one line of our form.
    #[error("the policy's signature is malformed")]
    Malformed,
    /// Signed by somebody else than the pinned signer.
    #[error("the policy was signed by somebody else")]
    SignerUnknown {
        /// The pinned signer.
        expected: String,
        /// The signer that the signature names.
        presented: String,
    },
    /// The bytes are not the ones that were signed.
    #[error("the policy is not what its signer signed")]
    Invalid,
    /// Older than the settings demand.
    #[error("the policy was rolled back")]
    RolledBack {
        /// The least serial.
        expected: u64,
        /// The policy's.
        presented: u64,
    },
    /// Over.
    #[error("the policy has expired")]
    Expired {
        /// Its end.
        at: Timestamp,
        /// Our clock.
        now: Timestamp,
    },
    /// For other workspaces.
    #[error("the policy is for another workspace")]
    OtherWorkspace {
        /// Ours.
        expected: String,
        /// The policy's.
        presented: String,
    },
    /// It does not read.
    #[error("the policy has problems")]
    Problems(Box<Problems>),
    /// It is no text.
    #[error("the policy cannot be read")]
    Unreadable(Box<Screen>),
}

impl PolicyRefusal {
    /// The stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "policy-signature-malformed",
            Self::SignerUnknown { .. } => "policy-signer-unknown",
            Self::Invalid => "policy-signature-invalid",
            Self::RolledBack { .. } => "policy-rolled-back",
            Self::Expired { .. } => "policy-expired",
            Self::OtherWorkspace { .. } => "policy-other-workspace",
            Self::Problems(_) => "policy-problems",
            Self::Unreadable(_) => "policy-unreadable",
        }
    }

    /// What a person reads.
    pub fn screen(&self) -> Screen {
        let screen = Screen::refused(self.reason(), Exit::Config, self.to_string());
        match self {
            Self::Malformed => screen
                .fact("expected", format!("one line: {TAG} ed25519:<key> <signature>"))
                .fact("presented", "something else")
                .hint("sign it again: `longhorn policy sign`"),
            Self::SignerUnknown { expected, presented } => screen
                .fact("expected signer", expected)
                .fact("presented signer", presented)
                .hint("the settings pin one signer; they must change together"),
            Self::Invalid => screen
                .fact("expected", "the bytes that were signed")
                .fact("presented", "other bytes")
                .hint("it was edited after signing: review and sign it again"),
            Self::RolledBack { expected, presented } => screen
                .fact("expected serial", format!("{expected} or higher"))
                .fact("presented serial", presented)
                .hint("deploy the newest policy; an old one is never accepted again"),
            Self::Expired { at, now } => screen
                .fact("expected end", format!("after {now}, by our clock"))
                .fact("presented end", at)
                .hint("sign a policy with a later `not-after`; or check this node's clock"),
            Self::OtherWorkspace { expected, presented } => screen
                .fact("expected workspace", expected)
                .fact("presented workspaces", presented)
                .hint("each policy names its workspaces"),
            Self::Problems(problems) => screen
                .fact("expected problems", "none")
                .fact("presented problems", problems.len())
                .hint("`longhorn policy check` shows them all"),
            Self::Unreadable(inner) => Screen { facts: inner.facts.clone(), ..screen }.hint(inner.hint.clone()),
        }
    }
}

/// Where the signature of a policy lies.
pub fn beside(policy: &Path) -> PathBuf {
    let mut name = policy.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

/// The signature file for a policy.
pub fn sign(policy: &[u8], key: &NodeKey) -> String {
    let public = STANDARD.encode(key.public().as_bytes());
    format!("{TAG} ed25519:{public} {}\n", STANDARD.encode(key.sign(&message(policy))))
}

/// Verifies signer, signature, serial, end and workspace, in that order, and reads the policy.
///
/// # Errors
/// The first of these that does not hold.
pub fn verify(
    file: &Path,
    bytes: &[u8],
    signature: &[u8],
    pin: &PolicyPin,
    workspace: &WorkspaceHost,
    now: Timestamp,
) -> Result<Policy, PolicyRefusal> {
    let policy = verify_for_every_workspace(file, bytes, signature, pin, now)?;
    if !policy.trust.workspaces.contains(workspace) {
        let presented: Vec<&str> = policy.trust.workspaces.iter().map(WorkspaceHost::as_str).collect();
        return Err(PolicyRefusal::OtherWorkspace { expected: workspace.to_string(), presented: presented.join(", ") });
    }
    Ok(policy)
}

/// The same for whoever belongs to no workspace.
///
/// # Errors
/// As there.
pub fn verify_for_every_workspace(
    file: &Path,
    bytes: &[u8],
    signature: &[u8],
    pin: &PolicyPin,
    now: Timestamp,
) -> Result<Policy, PolicyRefusal> {
    let (key, signature) = parse(signature).ok_or(PolicyRefusal::Malformed)?;
    if key.as_bytes() != &pin.signer {
        let show = |bytes: &[u8; 32]| format!("ed25519:{}", STANDARD.encode(bytes));
        return Err(PolicyRefusal::SignerUnknown { expected: show(&pin.signer), presented: show(key.as_bytes()) });
    }
    if !key.verify(&message(bytes), &signature) {
        return Err(PolicyRefusal::Invalid);
    }
    let text = as_text(file, bytes).map_err(|screen| PolicyRefusal::Unreadable(Box::new(screen)))?;
    let (policy, _) =
        read_policy(&file.display().to_string(), text).map_err(|problems| PolicyRefusal::Problems(Box::new(problems)))?;
    if policy.serial < pin.min_serial {
        return Err(PolicyRefusal::RolledBack { expected: pin.min_serial, presented: policy.serial });
    }
    if now >= policy.not_after {
        return Err(PolicyRefusal::Expired { at: policy.not_after, now });
    }
    Ok(policy)
}

/// Domain separation: no other document that this key signs can be mistaken for a policy.
fn message(policy: &[u8]) -> Vec<u8> {
    [TAG.as_bytes(), b"\n", policy].concat()
}

fn parse(signature: &[u8]) -> Option<(NodePublicKey, Vec<u8>)> {
    let text = std::str::from_utf8(signature).ok()?.strip_suffix('\n')?;
    let mut words = text.split(' ');
    let (tag, key, signature) = (words.next()?, words.next()?, words.next()?);
    if tag != TAG || words.next().is_some() {
        return None;
    }
    let key = NodePublicKey::from_bytes(&STANDARD.decode(key.strip_prefix("ed25519:")?).ok()?).ok()?;
    Some((key, STANDARD.decode(signature).ok()?))
}
