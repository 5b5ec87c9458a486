//! Descriptors that a parent left open for us across `execve`.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Takes ownership of descriptor `number`, which the parent promised on our command line, and marks it close-on-exec.
///
/// The caller takes each number once, at start, before anything else opens descriptors.
///
/// # Errors
/// When it is one of the standard streams or is not open.
pub fn take(number: RawFd) -> io::Result<OwnedFd> {
    if number <= 2 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: fcntl with F_SETFD takes three integers and touches no memory; a number that is not open gives EBADF.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above showed that the number is open, and by this function's contract nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Marks descriptor `number` close-on-exec; one that is not open is no error.
///
/// # Errors
/// Any other than EBADF.
pub fn close_on_exec(number: RawFd) -> io::Result<()> {
    // SAFETY: as in `take`.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        let error = io::Error::last_os_error();
        return if error.raw_os_error() == Some(libc::EBADF) { Ok(()) } else { Err(error) };
    }
    Ok(())
}
