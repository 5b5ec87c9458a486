//! Randomness. The only file that draws any.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// A source of unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills `out`.
    fn fill(&self, out: &mut [u8]);
}

/// The crypto library's generator, seeded by the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandomness;

impl Random for SystemRandomness {
    fn fill(&self, out: &mut [u8]) {
        SystemRandom::new()
            .fill(out)
            .expect("the generator fails only when the kernel has no entropy source; nothing may go on then");
    }
}

/// A version 7 UUID (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits.
pub fn uuid_v7(now: super::clock::Timestamp, random: &dyn Random) -> String {
    let mut bytes = [0u8; 16];
    random.fill(&mut bytes);
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let hex = super::digest::hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
