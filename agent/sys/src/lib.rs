//! The system calls that Longhorn needs and no safe crate offers: the only unsafe code of the project.
//!
//! A function here is one system call, or one unbreakable group, with a safe signature, owned descriptors in and
//! out, and `io::Result`.

pub mod bump;
pub mod caps;
pub mod clock;
pub mod inherited;
pub mod landlock;
pub mod mark;
pub mod mem;
pub mod memfd;
pub mod process;
pub mod seccomp;
pub mod shelf;
pub mod socket;
pub mod start;
pub mod trace;
