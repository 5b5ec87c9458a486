//! What a path rule grants, and which of the kernel's rights that is.

use std::path::{Path, PathBuf};

use longhorn_sys::landlock::{
    EXECUTE, IOCTL_DEV, MAKE_DIR, MAKE_FIFO, MAKE_REG, MAKE_SOCK, MAKE_SYM, READ_DIR, READ_FILE, REFER, REMOVE_DIR, REMOVE_FILE,
    RESOLVE_UNIX, TRUNCATE, WRITE_FILE, handled,
};

use super::cover::Shown;
use super::plan::PathRule;

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

impl Grants {
    /// What may be written or executed may be read, too.
    fn reads(self) -> bool {
        self.read || self.write || self.execute
    }
}

/// The rights of a rule under this ABI; on a file, only those of them that are [`longhorn_sys::landlock::ON_FILE`].
pub fn rights(grants: Grants, abi: u32) -> u64 {
    let mut rights = 0;
    if grants.reads() {
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

/// The rules of which no other grants as much already: each one costs every launch three system calls, and a fourth where
/// the kind of file is not known. On a merged `/usr`, `/bin` is a link into it (hier(7)).
pub fn needed(rules: Vec<PathRule>, abi: u32) -> Vec<PathRule> {
    // What is not there yet stays: it may be mounted later.
    let real: Vec<Option<PathBuf>> = rules.iter().map(|rule| std::fs::canonicalize(&rule.path).ok()).collect();
    let granted: Vec<u64> = rules.iter().map(|rule| rights(rule.grants, abi)).collect();
    let covered = |at: usize| {
        (0..rules.len()).any(|other| match (&real[at], &real[other]) {
            (Some(inner), Some(outer)) if granted[at] & !granted[other] == 0 => {
                // Of two that are the same, the first stays.
                inner.starts_with(outer) && (inner != outer || granted[at] != granted[other] || other < at)
            }
            _ => false,
        })
    };
    let kept: Vec<bool> = (0..rules.len()).map(|at| !covered(at)).collect();
    let file = |real: &Option<PathBuf>| real.as_ref().is_some_and(|real| !real.is_dir());
    let rules = rules.into_iter().zip(&real).map(|(rule, real)| PathRule { file: file(real), ..rule });
    rules.zip(kept).filter_map(|(rule, kept)| kept.then_some(rule)).collect()
}

/// The rules, and one for each tree that shows elsewhere and lies below what a rule grants: from there, the kernel meets the
/// tree's own inode on its way up and never the rule's. What is granted is what the rules grant that path, but for writing.
pub fn through(mut rules: Vec<PathRule>, shown: &[Shown]) -> Vec<PathRule> {
    for tree in shown.iter().map(|shown| &shown.tree) {
        let real = |rule: &PathRule| std::fs::canonicalize(&rule.path).unwrap_or_else(|_| rule.path.clone());
        let above = rules.iter().filter(|rule| tree.starts_with(real(rule)));
        let grants = above.fold(Grants::default(), |sum, rule| Grants {
            read: sum.read || rule.grants.reads(),
            execute: sum.execute || rule.grants.execute,
            ..sum
        });
        if grants.reads() && rules.iter().all(|rule| real(rule) != *tree) {
            rules.push(PathRule { path: tree.clone(), grants, file: false });
        }
    }
    rules.sort_by(|one, other| one.path.cmp(&other.path));
    rules
}

/// The first of these files that a rule lets a job read, and that rule's path.
pub fn within_reach<'a>(rules: &'a [PathRule], files: &'a [PathBuf]) -> Option<(&'a Path, &'a Path)> {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    files.iter().find_map(|file| {
        let lies = real(file);
        let rule = rules.iter().find(|rule| rule.grants.reads() && lies.starts_with(real(&rule.path)))?;
        Some((file.as_path(), rule.path.as_path()))
    })
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

    #[test]
    fn a_rule_goes_only_where_another_grants_as_much() {
        let directory = std::env::temp_dir().join(format!("longhorn-needed-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("usr/lib/data")).unwrap();
        std::os::unix::fs::symlink("usr/lib", directory.join("lib")).unwrap();
        let (read, execute) = (Grants { read: true, ..Grants::default() }, Grants { execute: true, ..Grants::default() });
        let rows = [
            ("usr", execute, true),
            ("lib", execute, false),
            ("usr/lib", read, false),
            ("usr/lib/data", Grants { write: true, ..Grants::default() }, true),
            ("usr/lib/data", read, false),
            ("late", read, true),
        ];
        let rules = rows.map(|(path, grants, _)| PathRule { path: directory.join(path), grants, file: false });
        let left = needed(rules.to_vec(), 6);
        std::fs::remove_dir_all(&directory).unwrap();
        let expected: Vec<PathRule> = rules.into_iter().zip(rows).filter(|(_, row)| row.2).map(|(rule, _)| rule).collect();
        assert_eq!(left, expected);
    }

    #[test]
    fn a_tree_that_shows_elsewhere_has_a_rule_of_its_own_where_one_above_grants_it() {
        let rule = |path: &str, grants| PathRule { path: path.into(), grants, file: false };
        let (all, read) =
            (Grants { write: true, execute: true, ..Grants::default() }, Grants { read: true, ..Grants::default() });
        let shown = |tree: &str| Shown { tree: tree.into(), at: "/elsewhere".into() };
        let rules = vec![rule("/nowhere/a", all), rule("/nowhere/b", read), rule("/nowhere/c", all)];
        let found = through(rules.clone(), &[shown("/nowhere/a/in/it"), shown("/nowhere/c"), shown("/nowhere/beside")]);
        let added = rule("/nowhere/a/in/it", Grants { read: true, execute: true, ..Grants::default() });
        assert_eq!(found, [rules[0].clone(), added, rules[1].clone(), rules[2].clone()]);
    }

    #[test]
    fn what_is_no_directory_is_known_as_such_and_what_is_not_there_may_become_one() {
        let grants = Grants { read: true, write: true, ..Grants::default() };
        let rules = ["/dev/null", "/proc", "/nowhere"].map(|path| PathRule { path: path.into(), grants, file: false });
        assert_eq!(needed(rules.to_vec(), 6).iter().map(|rule| rule.file).collect::<Vec<_>>(), [true, false, false]);
    }
}
