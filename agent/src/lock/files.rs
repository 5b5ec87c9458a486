//! File rights by Landlock ABI. Rights are named by the ABI that brought them, never "all" (linux/landlock.h).

use landlock::{ABI, Access, AccessFs, BitFlags, Scope};
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

/// The crate's ABI for a kernel's number.
pub fn abi(number: u32) -> ABI {
    match number {
        0 => ABI::Unsupported,
        1 => ABI::V1,
        2 => ABI::V2,
        3 => ABI::V3,
        4 => ABI::V4,
        5 => ABI::V5,
        6 => ABI::V6,
        7 => ABI::V7,
        8 => ABI::V8,
        9 => ABI::V9,
        _ => ABI::V10,
    }
}

/// Everything that this ABI can deny about files: all of it is denied unless a rule grants it.
pub fn handled(number: u32) -> BitFlags<AccessFs> {
    AccessFs::from_all(abi(number))
}

/// Signals and abstract sockets (ABI 6).
pub fn scopes(number: u32) -> BitFlags<Scope> {
    Scope::from_all(abi(number))
}

/// The rights of a rule on a directory (or on a file, with `directory` false) under this ABI.
pub fn rights(grants: Grants, number: u32, directory: bool) -> BitFlags<AccessFs> {
    let mut rights = BitFlags::<AccessFs>::EMPTY;
    if grants.read || grants.write || grants.execute {
        rights |= AccessFs::ReadFile | AccessFs::ReadDir;
    }
    if grants.execute {
        rights |= AccessFs::Execute;
    }
    if grants.write {
        rights |= AccessFs::WriteFile | AccessFs::Truncate | AccessFs::Refer;
        rights |= AccessFs::MakeDir | AccessFs::MakeReg | AccessFs::MakeSock | AccessFs::MakeFifo | AccessFs::MakeSym;
        rights |= AccessFs::RemoveDir | AccessFs::RemoveFile;
    }
    if grants.device {
        rights |= AccessFs::IoctlDev;
    }
    if grants.connect || grants.write {
        rights |= AccessFs::ResolveUnix;
    }
    let known = handled(number);
    if directory { rights & known } else { rights & known & AccessFs::from_file(abi(number)) }
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
        for number in 0..=10 {
            for directory in [true, false] {
                let rights = rights(all, number, directory);
                assert!(!rights.intersects(AccessFs::MakeChar | AccessFs::MakeBlock), "ABI {number}");
                assert!(handled(number).contains(rights), "ABI {number}");
            }
        }
    }

    #[test]
    fn writing_does_not_include_executing() {
        assert!(!rights(Grants { write: true, ..Grants::default() }, 7, true).contains(AccessFs::Execute));
    }
}
