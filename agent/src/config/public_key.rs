//! A public key as people write it: `ed25519:` and base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::reader::{At, Section};
use crate::context::NodePublicKey;

/// The key that stands under `key`. What is none is said, and not shown.
pub(super) fn public_key(section: &Section<'_>, key: &str, text: At<String>) -> Option<[u8; 32]> {
    let found = text
        .value
        .strip_prefix("ed25519:")
        .and_then(|body| STANDARD.decode(body).ok())
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .filter(|bytes| NodePublicKey::from_bytes(bytes).is_ok());
    if found.is_none() {
        // It may be the private half, pasted into the wrong place.
        section.reader().hide(&text.span);
        section.reader().error(
            text.span,
            format!("`{key}` must be `ed25519:` and the base64 of a public key"),
            "`longhorn authority new FILE` prints one",
        );
    }
    found
}
