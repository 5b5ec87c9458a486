//! Becoming the job: the launcher. Single-threaded, reads the sealed lock and the lease, applies, execs, never returns.

mod exec;
mod shim;

pub use exec::{LaunchError, exec, exec_unattested};
pub use shim::run;

/// The bytes that covers are copies of: the one binary, which is its own launcher.
///
/// # Errors
/// When it cannot be read.
pub fn binary() -> std::io::Result<Vec<u8>> {
    std::fs::read(crate::host::paths::BINARY)
}
