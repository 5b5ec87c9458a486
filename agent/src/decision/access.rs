//! What a process did to a file, and the directory that a rule could name for it. One rule for records and proposals: what
//! stands below such a directory, a person's name perhaps, is nobody's business there.

use std::path::{Component, Path, PathBuf};

/// What a path is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Read or listed.
    Read,
    /// Written, made, renamed or removed.
    Write,
    /// Executed.
    Execute,
    /// Stood in: no lock asks for it, and it says where relative names began.
    Stand,
}

impl Need {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Execute, Self::Stand];

    /// In a sentence, in records and in traces.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Execute => "execute",
            Self::Stand => "stand",
        }
    }
}

/// Whether a path is a directory that was listed, or a file in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// Anything else.
    File,
}

/// Where directories mean what: below each, so many further names are kept, and fewer than the least name nothing that
/// a rule should. The first that fits decides.
const PLACES: &[(&str, usize, usize)] = &[
    // Persons' own: whose they are is not told.
    ("/home", 0, 0),
    ("/Workspace/Users", 0, 0),
    ("/Workspace/Repos", 0, 0),
    ("/Workspace", 1, 1),
    // Catalog, schema, volume: what grants are given on.
    ("/Volumes", 3, 3),
    ("/dbfs", 1, 1),
    ("/databricks", 1, 1),
    ("/mnt", 2, 1),
    ("/var", 2, 1),
    ("/run", 1, 1),
    ("/opt", 1, 1),
    // One thing each, whatever lies below.
    ("/local_disk0/.ephemeral_nfs", 0, 0),
    ("/local_disk0", 0, 0),
    ("/dev/shm", 0, 0),
    ("/dev/pts", 0, 0),
    ("/bin", 0, 0),
    ("/etc", 0, 0),
    ("/lib", 0, 0),
    ("/lib32", 0, 0),
    ("/lib64", 0, 0),
    ("/proc", 0, 0),
    ("/root", 0, 0),
    ("/sbin", 0, 0),
    ("/sys", 0, 0),
    ("/tmp", 0, 0),
    ("/usr", 0, 0),
    ("/", 2, 1),
];

/// Directories of persons: a rule for one of them opens all of them.
const PERSONAL: &[&str] = &["/home", "/Workspace/Users", "/Workspace/Repos"];

/// The directory that a rule could name for this path; `None` where that would be too much.
///
/// A file lies in its directory, a directory is itself, a device is its own file. What that comes to is cut at the depth of its
/// place ([`PLACES`]): `/Volumes/main/gold/sales/2026/x.csv` is `/Volumes/main/gold/sales`.
pub fn rule_for(path: &Path, kind: Kind) -> Option<PathBuf> {
    let plain = path.is_absolute() && path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    let device = path.starts_with("/dev") && path.parent() == Some(Path::new("/dev")) && kind == Kind::File;
    if !plain || device {
        return device.then(|| path.to_owned());
    }
    let directory = if kind == Kind::Directory { path } else { path.parent()? };
    let (root, most, least) = PLACES.iter().find(|(root, ..)| directory.starts_with(root))?;
    let below: Vec<Component<'_>> = directory.strip_prefix(root).ok()?.components().take(*most).collect();
    (below.len() >= *least).then(|| below.iter().fold(PathBuf::from(root), |path, part| path.join(part)))
}

/// Whether a directory is many persons' own.
pub fn personal(directory: &Path) -> bool {
    PERSONAL.iter().any(|place| directory.starts_with(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_as_the_directory_that_a_rule_could_name() {
        use Kind::{Directory, File};
        let rows = [
            ("/Volumes/main/gold/sales/2026/x.csv", File, Some("/Volumes/main/gold/sales")),
            ("/Volumes/main/gold/sales", Directory, Some("/Volumes/main/gold/sales")),
            ("/Volumes/main/gold", Directory, None),
            ("/Volumes", Directory, None),
            ("/Workspace/Users/ada@example.com/n.py", File, Some("/Workspace/Users")),
            ("/home/ada/.netrc", File, Some("/home")),
            ("/home", Directory, Some("/home")),
            ("/Workspace/Shared/team/x", File, Some("/Workspace/Shared")),
            ("/databricks/driver/conf/00.conf", File, Some("/databricks/driver")),
            ("/databricks/BUILDINFO", File, None),
            ("/usr/lib/python3.11/os.py", File, Some("/usr")),
            ("/local_disk0/tmp/x", File, Some("/local_disk0")),
            ("/local_disk0/.ephemeral_nfs/envs/pythonEnv-1/bin/python", File, Some("/local_disk0/.ephemeral_nfs")),
            ("/dev/null", File, Some("/dev/null")),
            ("/dev/pts/3", File, Some("/dev/pts")),
            ("/dev", Directory, Some("/dev")),
            ("/proc/12/status", File, Some("/proc")),
            ("/srv/models/a/b/c.bin", File, Some("/srv/models")),
            ("/data/x.csv", File, Some("/data")),
            ("/swapfile", File, None),
            ("/", Directory, None),
            ("relative/x", File, None),
            ("/a/../etc/x", File, None),
        ];
        for (path, kind, expected) in rows {
            assert_eq!(rule_for(Path::new(path), kind).as_deref(), expected.map(Path::new), "{path}");
        }
        assert!(personal(Path::new("/home")) && !personal(Path::new("/homes")));
    }

    #[test]
    fn a_rule_holds_what_it_was_made_for_and_is_its_own_rule() {
        for path in ["/Volumes/a/b/c/d/e", "/usr/bin/x", "/opt/conda/bin/python", "/srv/a/b", "/var/lib/x/y", "/mnt/a/b/c"] {
            let rule = rule_for(Path::new(path), Kind::File).unwrap();
            assert!(Path::new(path).starts_with(&rule), "{path}");
            assert_eq!(rule_for(&rule, Kind::Directory), Some(rule), "{path}");
        }
    }
}
