//! SHA-256 as everybody here writes it down: lower-case hex.

use aws_lc_rs::digest::{SHA256, digest};

/// SHA-256 of `bytes`, in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = vec![0; 2 * bytes.len()];
    for ([high, low], byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        (*high, *low) = (DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]);
    }
    String::from_utf8(text).expect("each digit is ASCII")
}

/// The opposite of [`hex`] for a SHA-256 digest: 64 lower-case digits and nothing else. Eight digits at once: a log has
/// 64 in each line.
pub fn unhex(text: impl AsRef<[u8]>) -> Option<[u8; 32]> {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let text: &[u8; 64] = text.as_ref().try_into().ok()?;
    let (mut digest, mut wrong) = ([0; 32], 0);
    for (bytes, digits) in digest.as_chunks_mut::<4>().0.iter_mut().zip(text.as_chunks::<8>().0) {
        let digits = u64::from_le_bytes(*digits);
        // Of `1` and `a` the lower half counts; letters have bit 6.
        let values = (digits & (EACH * 0x0f)) + 9 * (digits >> 6 & EACH);
        // Written again, they are what was read, or it was no digit.
        let letters = (values + EACH * 6) >> 4 & EACH;
        wrong |= (values + EACH * u64::from(b'0') + u64::from(b'a' - b'0' - 10) * letters) ^ digits | values & (EACH * 0xf0);
        // Two values to a byte, then the four bytes together.
        let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
        let halves = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
        bytes.copy_from_slice(&(halves | halves >> 16).to_le_bytes()[..4]);
    }
    (wrong == 0).then_some(digest)
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
        for place in 0..64 {
            for byte in 0..=u8::MAX {
                let mut other = digest.clone().into_bytes();
                other[place] = byte;
                let value = char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
                let known = value.map(|_| other.clone());
                assert_eq!(unhex(&other).map(|bytes| hex(&bytes).into_bytes()), known, "{byte} at {place}");
            }
        }
    }
}
