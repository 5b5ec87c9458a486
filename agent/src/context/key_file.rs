//! Signing keys as files: `longhorn-key-v1 ` and the base64 of a 32-byte seed, on one line.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const TAG: &[u8] = b"longhorn-key-v1 ";

/// The text of a key file.
pub fn render_seed(seed: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(format!("longhorn-key-v1 {}\n", STANDARD.encode(seed)))
}

/// Reads a key file.
pub fn parse_seed(bytes: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes).strip_prefix(TAG)?;
    let mut seed = Zeroizing::new([0u8; 32]);
    let decoded = Zeroizing::new(STANDARD.decode(body).ok()?);
    (decoded.len() == 32).then(|| seed.copy_from_slice(&decoded))?;
    Some(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_reads_back_and_anything_else_is_no_key() {
        let text = render_seed(&[5; 32]);
        assert_eq!(parse_seed(text.as_bytes()).as_deref(), Some(&[5u8; 32]));
        for bytes in [&b""[..], b"longhorn-key-v1 ", b"longhorn-key-v1 AAAA", &text.as_bytes()[1..]] {
            assert!(parse_seed(bytes).is_none());
        }
    }
}
