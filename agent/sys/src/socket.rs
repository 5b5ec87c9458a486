//! Sockets that the C library's safe wrappers have no word for.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// A TCP socket that may use several paths (RFC 8684, linux/in.h `IPPROTO_MPTCP`); to a peer that does not, it is plain TCP.
///
/// # Errors
/// EPROTONOSUPPORT where the kernel has none, ENOPROTOOPT where they are switched off.
pub fn multipath(family: i32, flags: i32) -> io::Result<OwnedFd> {
    // SAFETY: socket(2) takes three numbers and touches no memory.
    let fd = unsafe { libc::socket(family, libc::SOCK_STREAM | flags, libc::IPPROTO_MPTCP) };
    if fd == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just gave us this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
