//! Bytes that live in a descriptor and nowhere else: memfd_secret(2) where the kernel has it, else a sealed memfd.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Holds `bytes` in a new descriptor, close-on-exec.
///
/// memfd_secret pages are absent from the kernel's direct map and unreachable through `/proc/PID/mem`, ptrace and core
/// dumps. The fallback is an ordinary memory file that nobody can change any more.
///
/// # Errors
/// When neither can be made.
pub fn hold(bytes: &[u8]) -> io::Result<OwnedFd> {
    if bytes.is_empty() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    secret(bytes).or_else(|_| sealed(bytes))
}

fn secret(bytes: &[u8]) -> io::Result<OwnedFd> {
    // SAFETY: memfd_secret takes one flag and returns a new descriptor or -1.
    let fd = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
    let fd = owned(fd)?;
    resize(&fd, bytes.len())?;
    let map = Map::new(&fd, bytes.len(), libc::PROT_READ | libc::PROT_WRITE)?;
    // SAFETY: the mapping is writable and `bytes.len()` long, and cannot overlap `bytes`: it is new.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), map.start, bytes.len()) };
    Ok(fd)
}

fn sealed(bytes: &[u8]) -> io::Result<OwnedFd> {
    // SAFETY: the name is a terminated string; memfd_create returns a new descriptor or -1.
    let fd = unsafe { libc::memfd_create(c"longhorn".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    let fd = owned(i64::from(fd))?;
    resize(&fd, bytes.len())?;
    {
        let map = Map::new(&fd, bytes.len(), libc::PROT_READ | libc::PROT_WRITE)?;
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), map.start, bytes.len()) };
    }
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    // SAFETY: fcntl with F_ADD_SEALS takes integers and touches no memory.
    if unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_ADD_SEALS, seals) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(fd)
}

/// Reads what a descriptor made by [`hold`] holds, at most `most` bytes.
///
/// # Errors
/// When it is empty or longer.
pub fn held(fd: &OwnedFd, most: usize) -> io::Result<Vec<u8>> {
    // SAFETY: all zeroes is a valid stat buffer, and fstat fills it for a descriptor that we own.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: see above.
    if unsafe { libc::fstat(fd.as_raw_fd(), &raw mut stat) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let length = usize::try_from(stat.st_size).map_err(|_| io::ErrorKind::InvalidData)?;
    if length == 0 || length > most {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // Shared: memfd_secret allows no private mapping, and a sealed one is read-only anyway.
    let map = Map::new(fd, length, libc::PROT_READ)?;
    // SAFETY: the mapping is readable and `length` long, nobody writes to it any more, and it lives until after the copy.
    Ok(unsafe { std::slice::from_raw_parts(map.start, length) }.to_vec())
}

fn owned(fd: i64) -> io::Result<OwnedFd> {
    let fd = i32::try_from(fd).map_err(|_| io::ErrorKind::InvalidData)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made this descriptor for us; nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn resize(fd: &OwnedFd, length: usize) -> io::Result<()> {
    let length = libc::off_t::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: ftruncate takes two integers and touches no memory.
    if unsafe { libc::ftruncate(fd.as_raw_fd(), length) } == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

struct Map {
    start: *mut u8,
    length: usize,
}

impl Map {
    fn new(fd: &OwnedFd, length: usize, protection: i32) -> io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice aliases nothing of ours; the result is checked.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, libc::MAP_SHARED, fd.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(Self { start: start.cast(), length }) }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping that `new` made.
        unsafe { libc::munmap(self.start.cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_read_back_and_cannot_be_changed() {
        for make in [hold as fn(&[u8]) -> io::Result<OwnedFd>, sealed] {
            let fd = make(b"seed").unwrap();
            assert_eq!(held(&fd, 64).unwrap(), b"seed");
            assert!(held(&fd, 3).is_err());
            use std::io::Write;
            let mut file = std::fs::File::from(fd);
            assert!(file.write_all(b"x").is_err());
        }
    }
}
