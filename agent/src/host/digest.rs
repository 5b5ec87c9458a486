//! SHA-256 as everybody here writes it down: lower-case hex.

use aws_lc_rs::digest::{SHA256, digest};

/// SHA-256 of `bytes`, in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)] as char, DIGITS[usize::from(byte & 15)] as char]).collect()
}

/// The opposite of [`hex`] for a SHA-256 digest: 64 lower-case digits and nothing else.
pub fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let mut digest = [0; 32];
    if pairs.len() != digest.len() {
        return None;
    }
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written_and_no_other_way() {
        let digest = sha256_hex(b"longhorn");
        assert_eq!(unhex(&digest).map(|bytes| hex(&bytes)), Some(digest.clone()));
        for other in
            [digest.to_uppercase(), digest.replacen(&digest[..2], "+f", 1), digest[..62].to_owned(), format!("{digest}00")]
        {
            assert_eq!(unhex(&other), None, "{other}");
        }
    }
}
