//! Landlock by its three system calls (linux/landlock.h): a launch makes dozens of them, and each one counts.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `LANDLOCK_CREATE_RULESET_VERSION` and `_ERRATA`.
const VERSION: u64 = 1;
const ERRATA: u64 = 2;
/// `LANDLOCK_RULE_PATH_BENEATH` and `_NET_PORT`.
const PATH_BENEATH: u64 = 1;
const NET_PORT: u64 = 2;
/// `LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON` (ABI 7): denials after the next execve reach the audit log too.
pub const LOG_AFTER_EXEC: u32 = 1 << 1;

// `LANDLOCK_ACCESS_FS_*`.

/// Executing a file.
pub const EXECUTE: u64 = 1 << 0;
/// Opening a file for writing.
pub const WRITE_FILE: u64 = 1 << 1;
/// Opening a file for reading.
pub const READ_FILE: u64 = 1 << 2;
/// Listing a directory.
pub const READ_DIR: u64 = 1 << 3;
/// Removing or renaming a directory.
pub const REMOVE_DIR: u64 = 1 << 4;
/// Removing or renaming what is no directory.
pub const REMOVE_FILE: u64 = 1 << 5;
/// Making a character device.
pub const MAKE_CHAR: u64 = 1 << 6;
/// Making a directory.
pub const MAKE_DIR: u64 = 1 << 7;
/// Making a regular file.
pub const MAKE_REG: u64 = 1 << 8;
/// Making a Unix socket.
pub const MAKE_SOCK: u64 = 1 << 9;
/// Making a pipe.
pub const MAKE_FIFO: u64 = 1 << 10;
/// Making a block device.
pub const MAKE_BLOCK: u64 = 1 << 11;
/// Making a symbolic link.
pub const MAKE_SYM: u64 = 1 << 12;
/// Renaming or linking between directories.
pub const REFER: u64 = 1 << 13;
/// Truncating a file.
pub const TRUNCATE: u64 = 1 << 14;
/// Sending ioctls to devices.
pub const IOCTL_DEV: u64 = 1 << 15;
/// Connecting to a Unix socket by its path.
pub const RESOLVE_UNIX: u64 = 1 << 16;
/// `LANDLOCK_ACCESS_NET_CONNECT_TCP` (ABI 4): connecting a TCP socket to a port.
pub const CONNECT_TCP: u64 = 1 << 1;
/// `LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET` and `_SIGNAL`.
const SCOPES: u64 = 1 << 0 | 1 << 1;

/// The ABI that brought rights, and which: never "all", whose meaning changes with the kernel.
const BROUGHT: &[(u32, u64)] = &[
    (
        1,
        EXECUTE
            | WRITE_FILE
            | READ_FILE
            | READ_DIR
            | REMOVE_DIR
            | REMOVE_FILE
            | MAKE_CHAR
            | MAKE_DIR
            | MAKE_REG
            | MAKE_SOCK
            | MAKE_FIFO
            | MAKE_BLOCK
            | MAKE_SYM,
    ),
    (2, REFER),
    (3, TRUNCATE),
    (5, IOCTL_DEV),
    (9, RESOLVE_UNIX),
];

/// What a rule on something other than a directory may hold.
pub const ON_FILE: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX;

/// Everything that this ABI can deny about files: all of it is denied unless a rule grants it.
pub fn handled(abi: u32) -> u64 {
    BROUGHT.iter().filter(|(since, _)| *since <= abi).fold(0, |all, (_, rights)| all | rights)
}

/// Signals and abstract sockets (ABI 6).
pub fn scopes(abi: u32) -> u64 {
    if abi >= 6 { SCOPES } else { 0 }
}

/// `struct landlock_ruleset_attr`; kernels before ABI 6 accept the longer one as long as what they do not know is zero.
#[repr(C)]
struct RulesetAttributes {
    handled_files: u64,
    handled_network: u64,
    scoped: u64,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: i32,
}

/// `struct landlock_net_port_attr`.
#[repr(C)]
struct NetPort {
    allowed: u64,
    port: u64,
}

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

/// A ruleset that is not in force yet.
#[derive(Debug)]
pub struct Ruleset(OwnedFd);

impl Ruleset {
    /// A ruleset that denies the rights `files` and `network` until a rule allows, and the scopes `scoped`.
    ///
    /// # Errors
    /// EINVAL when this kernel does not know one of the bits.
    pub fn create(files: u64, network: u64, scoped: u64) -> io::Result<Self> {
        let attributes = RulesetAttributes { handled_files: files, handled_network: network, scoped };
        // SAFETY: the kernel reads `size_of` bytes of attributes that live across the call.
        let fd = unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attributes, size_of::<RulesetAttributes>(), 0u64)
        };
        let fd = i32::try_from(fd).map_err(io::Error::other)?;
        if fd == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just gave us this descriptor, close-on-exec; nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Allows `rights` on `path` and all below it; on what is no directory, the part of them that is `on_file`. False when
    /// the path cannot be opened: what does not exist cannot be granted.
    ///
    /// # Errors
    /// When the kernel refuses the rule.
    pub fn allow(&self, path: &CStr, rights: u64, on_file: u64) -> io::Result<bool> {
        // The system call itself: musl's open(3) follows it with an fcntl(2) for kernels before 2.6.23.
        // SAFETY: the path is terminated; O_PATH reads nothing.
        let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) };
        let fd = i32::try_from(fd).map_err(io::Error::other)?;
        if fd == -1 {
            return Ok(false);
        }
        // SAFETY: as above: a descriptor of our own.
        let parent = unsafe { OwnedFd::from_raw_fd(fd) };
        match self.add(&parent, rights) {
            // Rights of directories on what is none (Documentation/userspace-api/landlock.rst).
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => self.add(&parent, rights & on_file)?,
            other => other?,
        }
        Ok(true)
    }

    fn add(&self, parent: &OwnedFd, allowed: u64) -> io::Result<()> {
        if allowed == 0 {
            // The kernel takes no empty rule (ENOMSG).
            return Ok(());
        }
        let rule = PathBeneath { allowed, parent: parent.as_raw_fd() };
        // SAFETY: the kernel reads one `landlock_path_beneath_attr` that lives across the call.
        let result =
            unsafe { libc::syscall(libc::SYS_landlock_add_rule, self.0.as_raw_fd(), PATH_BENEATH, &raw const rule, 0u64) };
        if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Allows the network rights `allowed` for a port, at whatever address.
    ///
    /// # Errors
    /// EINVAL when the ruleset does not handle them.
    pub fn allow_port(&self, port: u16, allowed: u64) -> io::Result<()> {
        let rule = NetPort { allowed, port: port.into() };
        // SAFETY: the kernel reads one `landlock_net_port_attr` that lives across the call.
        let result = unsafe { libc::syscall(libc::SYS_landlock_add_rule, self.0.as_raw_fd(), NET_PORT, &raw const rule, 0u64) };
        if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Puts it in force for this thread and all it starts. Needs no_new_privs or CAP_SYS_ADMIN.
    ///
    /// # Errors
    /// When the kernel refuses; E2BIG in a process that is under 16 already.
    pub fn restrict(self, flags: u32) -> io::Result<()> {
        // SAFETY: takes a descriptor and flags, touches no memory.
        let result = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, self.0.as_raw_fd(), u64::from(flags)) };
        if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_abi_denies_what_its_kernel_documents() {
        // linux/landlock.h, `LANDLOCK_ACCESS_FS_*`: 13 rights at first, then one each with ABI 2, 3, 5 and 9.
        let counts: Vec<u32> = (0..=10).map(|abi| handled(abi).count_ones()).collect();
        assert_eq!(counts, [0, 13, 14, 15, 15, 16, 16, 16, 16, 17, 17]);
        assert_eq!((scopes(5), scopes(6)), (0, 3));
    }
}
