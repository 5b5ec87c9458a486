//! File rights by Landlock ABI. Rights are named by the ABI that brought them, never "all" (linux/landlock.h).

use std::path::Path;

/// What a rule grants, before the kernel's ABI and the kind of file narrow it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Read files and list directories.
    pub read: bool,
    /// Also write, make, rename and remove; never make device nodes.
    pub write: bool,
    /// Also execute.
    pub execute: bool,
    /// Also send ioctls to devices.
    pub device: bool,
    /// Also connect to Unix sockets by path.
    pub connect: bool,
}

const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_SOCK: u64 = 1 << 9;
const MAKE_FIFO: u64 = 1 << 10;
const MAKE_BLOCK: u64 = 1 << 11;
const MAKE_SYM: u64 = 1 << 12;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;
const RESOLVE_UNIX: u64 = 1 << 16;
/// `LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET` and `_SIGNAL`.
const SCOPES: u64 = 1 << 0 | 1 << 1;

/// The ABI that brought rights, and which.
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

/// What the sidecar may do where its record lies: make and write segments, never rename or remove them.
pub const RECORD: u64 = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | MAKE_REG | MAKE_DIR;

/// Reading files and listing directories.
pub const READ: u64 = READ_FILE | READ_DIR;

/// Everything that this ABI can deny about files: all of it is denied unless a rule grants it.
pub fn handled(abi: u32) -> u64 {
    BROUGHT.iter().filter(|(since, _)| *since <= abi).fold(0, |all, (_, rights)| all | rights)
}

/// Signals and abstract sockets (ABI 6).
pub fn scopes(abi: u32) -> u64 {
    if abi >= 6 { SCOPES } else { 0 }
}

/// The rights of a rule under this ABI; on a file, only those of them that are [`ON_FILE`].
pub fn rights(grants: Grants, abi: u32) -> u64 {
    let mut rights = 0;
    if grants.read || grants.write || grants.execute {
        rights |= READ;
    }
    if grants.execute {
        rights |= EXECUTE;
    }
    if grants.write {
        rights |= WRITE_FILE | TRUNCATE | REFER;
        rights |= MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM;
        rights |= REMOVE_DIR | REMOVE_FILE;
    }
    if grants.device {
        rights |= IOCTL_DEV;
    }
    if grants.connect || grants.write {
        rights |= RESOLVE_UNIX;
    }
    rights & handled(abi)
}

/// Whether a path names devices: ioctls are granted there with the write right.
pub fn is_device_path(path: &Path) -> bool {
    path.starts_with("/dev")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rule_ever_grants_making_device_nodes() {
        let all = Grants { read: true, write: true, execute: true, device: true, connect: true };
        for abi in 0..=10 {
            let rights = rights(all, abi);
            assert_eq!(rights & (MAKE_CHAR | MAKE_BLOCK), 0, "ABI {abi}");
            assert_eq!(rights & !handled(abi), 0, "ABI {abi}");
        }
    }

    #[test]
    fn writing_does_not_include_executing() {
        assert_eq!(rights(Grants { write: true, ..Grants::default() }, 7) & EXECUTE, 0);
    }

    #[test]
    fn each_abi_denies_what_its_kernel_documents() {
        // linux/landlock.h, `LANDLOCK_ACCESS_FS_*`: 13 rights at first, then one each with ABI 2, 3, 5 and 9.
        let counts: Vec<u32> = (0..=10).map(|abi| handled(abi).count_ones()).collect();
        assert_eq!(counts, [0, 13, 14, 15, 15, 16, 16, 16, 16, 17, 17]);
        assert_eq!((scopes(5), scopes(6)), (0, 3));
    }
}
