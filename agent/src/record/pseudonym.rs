//! Persons under keyed pseudonyms (EDPB 01/2025: a MAC with a secret that is kept apart). A service principal's
//! application id is not a person and stays as it is.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

use crate::host::digest::{hex, sha256_hex};

/// Bytes of the shortest key: as long as the hash (RFC 2104 §3). Whoever can guess the key can test guesses of names.
pub const LEAST: usize = 32;

/// The key of the pseudonyms.
pub struct PseudonymKey {
    key: Key,
    id: String,
}

impl PseudonymKey {
    /// From its bytes, of which there must be [`LEAST`]. The id names the key without giving it away.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let id = sha256_hex(&[b"longhorn-pseudonym-key-id\n", bytes].concat());
        (bytes.len() >= LEAST).then(|| Self { key: Key::new(HMAC_SHA256, bytes), id: id[..12].to_owned() })
    }

    /// Which key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `p1:` and 32 hex digits. The same person has the same pseudonym under the same key, however the name is cased.
    pub fn pseudonym(&self, name: &str) -> String {
        let tag = sign(&self.key, format!("longhorn/actor/v1\0{}", name.to_lowercase()).as_bytes());
        format!("p1:{}", hex(&tag.as_ref()[..16]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_keeps_one_pseudonym_per_key_and_the_name_is_not_in_it() {
        let key = |byte: u8| PseudonymKey::new(&[byte; LEAST]).unwrap();
        let (one, other) = (key(1), key(2));
        assert!(PseudonymKey::new(&[1; LEAST - 1]).is_none() && PseudonymKey::new(b"").is_none());
        assert_eq!(one.pseudonym("Ada@Example.com"), one.pseudonym("ada@example.com"));
        assert_ne!(one.pseudonym("ada@example.com"), other.pseudonym("ada@example.com"));
        assert_ne!(one.pseudonym("ada@example.com"), one.pseudonym("bob@example.com"));
        assert!(!one.pseudonym("ada@example.com").contains("ada") && one.pseudonym("a").len() == 35);
        assert_ne!(one.id(), other.id());
    }
}
