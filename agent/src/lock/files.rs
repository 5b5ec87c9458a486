//! What a path rule grants, and which of the kernel's rights that is.

use std::path::Path;

use longhorn_sys::landlock::{
    EXECUTE, IOCTL_DEV, MAKE_DIR, MAKE_FIFO, MAKE_REG, MAKE_SOCK, MAKE_SYM, READ_DIR, READ_FILE, REFER, REMOVE_DIR, REMOVE_FILE,
    RESOLVE_UNIX, TRUNCATE, WRITE_FILE, handled,
};

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

/// The rights of a rule under this ABI; on a file, only those of them that are [`longhorn_sys::landlock::ON_FILE`].
pub fn rights(grants: Grants, abi: u32) -> u64 {
    let mut rights = 0;
    if grants.read || grants.write || grants.execute {
        rights |= READ_FILE | READ_DIR;
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
    use longhorn_sys::landlock::{MAKE_BLOCK, MAKE_CHAR};

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
}
