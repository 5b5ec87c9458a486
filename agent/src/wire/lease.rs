//! The lease: until when a launch is allowed. 64 bytes, shared by `mmap` between keeper (writes) and launcher (reads).
//!
//! The end is one aligned 8-byte word, so a reader sees the old end or the new one, never a mixture. The lease
//! counts `CLOCK_BOOTTIME` and names the boot, so that neither a wall clock nor a file that survived a reboot extends it.

use crate::host::clock::BootTime;

/// The size of the lease file, in bytes.
pub const SIZE: usize = 64;
/// Where the end lies in the file: an aligned little-endian `u64` of `CLOCK_BOOTTIME` nanoseconds.
pub const END_OFFSET: usize = 8;
const MAGIC: [u8; 8] = *b"LHLEASE1";
const BOOT_OFFSET: usize = 16;

/// A boot's identity: `/proc/sys/kernel/random/boot_id` without its dashes, as bytes.
pub type BootId = [u8; 16];

/// Why a lease does not allow a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// The file is not 64 bytes, or does not begin as a lease does.
    #[error("the lease file is damaged")]
    Damaged,
    /// The lease was written during another boot.
    #[error("the lease belongs to another boot")]
    OtherBoot,
    /// The lease has ended.
    #[error("the lease ended {0} ms ago")]
    Ended(u64),
}

/// Lays a lease out.
pub fn encode(boot: &BootId, end: BootTime) -> [u8; SIZE] {
    let mut bytes = [0u8; SIZE];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[END_OFFSET..END_OFFSET + 8].copy_from_slice(&end.0.to_le_bytes());
    bytes[BOOT_OFFSET..BOOT_OFFSET + 16].copy_from_slice(boot);
    bytes
}

/// Checks a lease at `now`.
///
/// # Errors
/// When the bytes are no lease, are of another boot, or the lease has ended.
pub fn check(bytes: &[u8], boot: &BootId, now: BootTime) -> Result<BootTime, LeaseError> {
    if bytes.len() != SIZE || bytes[..8] != MAGIC {
        return Err(LeaseError::Damaged);
    }
    if &bytes[BOOT_OFFSET..BOOT_OFFSET + 16] != boot {
        return Err(LeaseError::OtherBoot);
    }
    let end = u64::from_le_bytes(bytes[END_OFFSET..END_OFFSET + 8].try_into().expect("the slice is 8 bytes long"));
    if now.0 >= end {
        return Err(LeaseError::Ended((now.0 - end) / 1_000_000));
    }
    Ok(BootTime(end))
}

/// Reads a boot id as the kernel prints it.
pub fn parse_boot_id(text: &str) -> Option<BootId> {
    let mut id = [0u8; 16];
    let mut digits = text.trim().bytes().filter(|byte| *byte != b'-');
    for byte in &mut id {
        let high = (digits.next()? as char).to_digit(16)?;
        let low = (digits.next()? as char).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    digits.next().is_none().then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_allows_until_its_end_and_not_one_nanosecond_longer() {
        let bytes = encode(&[7; 16], BootTime(1_000));
        assert_eq!(check(&bytes, &[7; 16], BootTime(999)), Ok(BootTime(1_000)));
        assert_eq!(check(&bytes, &[7; 16], BootTime(1_000)), Err(LeaseError::Ended(0)));
    }

    #[test]
    fn a_lease_of_another_boot_or_a_damaged_one_allows_nothing() {
        let bytes = encode(&[7; 16], BootTime(1_000));
        assert_eq!(check(&bytes, &[8; 16], BootTime(1)), Err(LeaseError::OtherBoot));
        assert_eq!(check(&bytes[..63], &[7; 16], BootTime(1)), Err(LeaseError::Damaged));
        assert_eq!(check(&[0; 64], &[7; 16], BootTime(1)), Err(LeaseError::Damaged));
        assert_eq!(check(&[], &[7; 16], BootTime(1)), Err(LeaseError::Damaged));
    }

    #[test]
    fn a_boot_id_is_read_as_the_kernel_prints_it_and_no_other_way() {
        assert!(parse_boot_id("7d3f8c1e-53d4-4d0e-9c3d-1f0a9f7b2c11\n").is_some());
        assert!(parse_boot_id("7d3f8c1e").is_none());
        assert!(parse_boot_id("7d3f8c1e-53d4-4d0e-9c3d-1f0a9f7b2c1100").is_none());
        assert!(parse_boot_id("zz3f8c1e-53d4-4d0e-9c3d-1f0a9f7b2c11").is_none());
    }
}
