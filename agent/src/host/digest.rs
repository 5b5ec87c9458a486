//! SHA-256 as everybody here writes it down: lower-case hex.

use std::io::{self, Read};

use aws_lc_rs::digest::{Context, SHA256, digest};
pub use longhorn_canonical::hex::unhex;

/// SHA-256 of `bytes`, in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// SHA-256 of all that is read, in hex, and how many bytes that were.
///
/// # Errors
/// When it cannot be read.
pub fn sha256_hex_of(mut from: impl Read) -> io::Result<(String, u64)> {
    let (mut context, mut length, mut chunk) = (Context::new(&SHA256), 0, vec![0; 64 * 1024]);
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok((hex(context.finish().as_ref()), length)),
            Ok(read) => {
                context.update(&chunk[..read]);
                length += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_of_what_is_read_is_the_digest_of_the_bytes() {
        for length in [0, 1, 65_535, 65_536, 65_537, 200_000] {
            let bytes = vec![7; length];
            assert_eq!(sha256_hex_of(bytes.as_slice()).unwrap(), (sha256_hex(&bytes), length as u64));
        }
    }

    #[test]
    fn a_digest_is_read_as_it_is_written_and_no_other_way() {
        let digest = sha256_hex(b"longhorn");
        assert_eq!(unhex(digest.as_bytes()).map(|bytes| hex(&bytes)), Some(digest.clone()));
        for other in
            [digest.to_uppercase(), digest.replacen(&digest[..2], "+f", 1), digest[..62].to_owned(), format!("{digest}00")]
        {
            assert_eq!(unhex(other.as_bytes()), None, "{other}");
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
