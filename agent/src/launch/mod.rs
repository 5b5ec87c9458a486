//! Becoming the job: the launcher. Single-threaded, reads the sealed lock and the lease, applies, execs, never returns.

mod exec;
mod observe;
mod shim;

pub use exec::{LaunchError, exec, exec_unattested};
pub use shim::run;

/// The small launcher, where the build embedded one; else nothing.
const EMBEDDED: &[u8] = include_bytes!(env!("LONGHORN_EMBEDDED"));

/// The bytes that covers are copies of: the embedded launcher, or the one binary, which is its own.
///
/// # Errors
/// When it cannot be read.
pub fn binary() -> std::io::Result<Vec<u8>> {
    if EMBEDDED.is_empty() { std::fs::read(crate::host::paths::BINARY) } else { Ok(EMBEDDED.to_vec()) }
}
