//! Becoming the job: the launcher. Single-threaded, reads the sealed lock and the lease, applies, execs, never returns.

mod exec;
mod shim;

pub use exec::{LaunchError, exec};
pub use shim::run;
