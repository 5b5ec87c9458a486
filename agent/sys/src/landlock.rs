//! What Landlock this kernel has; the `landlock` crate does the rest.

use std::io;

/// `LANDLOCK_CREATE_RULESET_VERSION` and `_ERRATA` (linux/landlock.h).
const VERSION: u64 = 1;
const ERRATA: u64 = 2;

fn query(flag: u64) -> io::Result<u32> {
    // SAFETY: with a version or errata flag the kernel reads no attribute: null and zero are what it asks for.
    let answer = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0usize, flag) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { u32::try_from(answer).map_err(io::Error::other) }
}

/// The ABI version.
///
/// # Errors
/// ENOSYS: not built into this kernel. EOPNOTSUPP: built, and not among the active security modules.
pub fn abi() -> io::Result<u32> {
    query(VERSION)
}

/// The bits of the errata that are fixed; 0 where the kernel cannot say.
pub fn errata() -> u32 {
    query(ERRATA).unwrap_or(0)
}
