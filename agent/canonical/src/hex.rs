//! Digests as they stand in a line: lower-case hex.

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// A SHA-256 digest in hex: 64 lower-case digits and nothing else. Eight digits at once: a log has
/// 64 in each line.
pub fn unhex(text: &[u8]) -> Option<Hash> {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let text: &[u8; 64] = text.try_into().ok()?;
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
