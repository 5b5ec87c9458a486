//! What a file holds, by its digest. Nothing that could make us wait is opened, and no more is read than a start can afford.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::host::clock::{BootTime, Clock};
use crate::host::digest::sha256_hex_of;

/// A file of the node's configuration is read up to this size.
pub const MOST_FILE: u64 = 1024 * 1024;
/// A program is read up to this size.
pub const MOST_PROGRAM: u64 = 7 * 1024 * 1024;
/// Bytes of all files and programs together.
const MOST_BYTES: u64 = 8 * 1024 * 1024;
/// Digests that are made at the most.
const MOST_DIGESTS: usize = 512;
/// Links that are followed to see where a file lies.
const MOST_LINKS: usize = 8;
/// File systems that somebody else answers for, perhaps never.
const FOREIGN: &[&str] = &["fuse", "nfs", "cifs", "smb", "9p", "autofs", "ceph", "lustre", "afs"];

/// Why there is no digest.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("{0}")]
    Kind(&'static str),
    #[error("on a foreign file system")]
    Foreign,
    #[error("{0} bytes")]
    Large(u64),
    #[error("no room left")]
    Spent,
    #[error("{0}")]
    Failed(#[from] io::Error),
}

/// Makes digests, each file's once, until it may not read any more.
pub struct Digests<'a> {
    clock: &'a dyn Clock,
    until: BootTime,
    bytes: u64,
    left: usize,
    known: HashMap<(u64, u64), String>,
    foreign: Vec<PathBuf>,
    omitted: u32,
}

impl<'a> Digests<'a> {
    /// Reads nothing after `until`.
    pub fn until(clock: &'a dyn Clock, until: BootTime) -> Self {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Self { clock, until, bytes: MOST_BYTES, left: MOST_DIGESTS, known: HashMap::new(), foreign: foreign(&table), omitted: 0 }
    }

    /// This file's digest is known.
    pub fn know(&mut self, path: &str, digest: &str) {
        if let Ok(meta) = fs::metadata(path) {
            self.known.insert((meta.dev(), meta.ino()), digest.to_owned());
        }
    }

    /// `sha256 …`, or why not.
    pub fn of(&mut self, path: &Path, most: u64) -> String {
        let digest = if self.foreign_to(path) { Err(Unread::Foreign) } else { self.read(path, most) };
        digest.map_or_else(
            |unread| {
                if matches!(unread, Unread::Large(_) | Unread::Spent) {
                    self.omit(1);
                }
                format!("not read: {unread}")
            },
            |digest| format!("sha256 {digest}"),
        )
    }

    /// Something is left out.
    pub fn omit(&mut self, count: usize) {
        self.omitted = self.omitted.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// How much did not fit.
    pub fn omitted(&self) -> u32 {
        self.omitted
    }

    /// Whether the time is over.
    pub fn late(&self) -> bool {
        self.clock.boot() >= self.until
    }

    /// Whether somebody else answers for this file, or for one that its links lead to. Asked of the mount table: looking at
    /// such a file may already wait.
    pub fn foreign_to(&self, path: &Path) -> bool {
        let mut path = path.to_path_buf();
        for _ in 0..MOST_LINKS {
            if self.foreign.iter().any(|mount| path.starts_with(mount)) {
                return true;
            }
            match fs::read_link(&path) {
                Ok(target) => path = path.parent().unwrap_or(Path::new("/")).join(target),
                Err(_) => return false,
            }
        }
        true
    }

    fn read(&mut self, path: &Path, most: u64) -> Result<String, Unread> {
        // Not opened before it is looked at: opening a FIFO or a device is heard by others.
        regular(&fs::metadata(path)?)?;
        let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        let meta = file.metadata()?;
        regular(&meta)?;
        let inode = (meta.dev(), meta.ino());
        if let Some(digest) = self.known.get(&inode) {
            return Ok(digest.clone());
        }
        if meta.len() > most {
            return Err(Unread::Large(meta.len()));
        }
        if meta.len() > self.bytes || self.left == 0 || self.late() {
            return Err(Unread::Spent);
        }
        let digest = self.hash(file, most)?;
        self.known.insert(inode, digest.clone());
        Ok(digest)
    }

    /// It may have grown since: what counts is what is read.
    fn hash(&mut self, file: File, most: u64) -> Result<String, Unread> {
        let most = most.min(self.bytes);
        let (digest, length) = sha256_hex_of(file.take(most + 1))?;
        self.left -= 1;
        self.bytes = self.bytes.saturating_sub(length);
        if length > most { Err(Unread::Large(length)) } else { Ok(digest) }
    }
}

fn regular(meta: &fs::Metadata) -> Result<(), Unread> {
    let kind = meta.file_type();
    let word = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(Unread::Kind(word))
}

/// Mount points of foreign file systems, from proc_pid_mountinfo(5). Whoever answers for the root answers us.
fn foreign(table: &str) -> Vec<PathBuf> {
    let mount = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let kind = after.split(' ').next()?;
        FOREIGN.iter().any(|foreign| kind.starts_with(foreign)).then(|| before.split(' ').nth(4).map(unescape))?
    };
    table.lines().filter_map(mount).filter(|path| path != Path::new("/")).collect()
}

/// Blank, tab, line feed and backslash stand there as three octal digits.
fn unescape(text: &str) -> PathBuf {
    let (mut path, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, behind @ ..] = rest {
        let escaped = behind.first_chunk::<3>().filter(|_| *first == b'\\');
        let value = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        path.push(value.unwrap_or(*first));
        rest = if value.is_some() { &behind[3..] } else { behind };
    }
    std::ffi::OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;
    use crate::host::clock::SystemClock;
    use crate::host::digest::sha256_hex;

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("longhorn-digests-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn digests() -> Digests<'static> {
        Digests::until(&SystemClock, SystemClock.boot().plus(Duration::from_secs(60)))
    }

    #[test]
    fn only_regular_files_of_a_bounded_size_are_read_and_the_rest_says_why_not() {
        let place = directory("kinds");
        let (file, link, fifo, large) = (place.join("file"), place.join("link"), place.join("fifo"), place.join("large"));
        fs::write(&file, b"unit").unwrap();
        symlink("file", &link).unwrap();
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        File::create(&large).unwrap().set_len(MOST_FILE + 1).unwrap();
        let mut digests = digests();
        let expected = format!("sha256 {}", sha256_hex(b"unit"));
        for (path, said) in [
            (&file, expected.as_str()),
            (&link, &expected),
            (&fifo, "not read: a FIFO"),
            (&place, "not read: a directory"),
            (&PathBuf::from("/dev/null"), "not read: a device"),
            (&large, "not read: 1048577 bytes"),
            (&place.join("none"), "not read: No such file or directory (os error 2)"),
        ] {
            assert_eq!(digests.of(path, MOST_FILE), said, "{}", path.display());
        }
        assert_eq!(digests.omitted(), 1, "the large one did not fit");
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn bytes_digests_and_time_end_and_what_they_kept_out_is_counted() {
        let place = directory("bounds");
        let file = |name: &str, length: u64| {
            let path = place.join(name);
            File::create(&path).unwrap().set_len(length).unwrap();
            path
        };
        let (one, two, three) = (file("one", MOST_PROGRAM), file("two", MOST_BYTES - MOST_PROGRAM), file("three", 1));
        let mut bytes = digests();
        assert!(bytes.of(&one, MOST_PROGRAM).starts_with("sha256 ") && bytes.of(&two, MOST_PROGRAM).starts_with("sha256 "));
        assert_eq!(bytes.of(&three, MOST_PROGRAM), "not read: no room left");
        assert!(bytes.of(&one, MOST_PROGRAM).starts_with("sha256 "), "what is known is not read again");
        assert_eq!(bytes.omitted(), 1);
        let mut count = digests();
        count.left = 1;
        assert!(count.of(&three, MOST_FILE).starts_with("sha256 "));
        assert_eq!(count.of(&file("four", 2), MOST_FILE), "not read: no room left");
        let mut late = Digests::until(&SystemClock, SystemClock.boot());
        assert_eq!(late.of(&three, MOST_FILE), "not read: no room left");
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_file_of_a_foreign_file_system_is_known_by_the_mount_table_also_behind_links() {
        let table = "36 35 0:32 / /Volumes rw shared:1 - fuse.wsfs wsfs rw\n37 35 0:33 / /mnt/a\\040b rw - nfs4 host:/ rw\n\
                     38 35 0:34 / /data rw - ext4 /dev/sda rw\n35 1 0:31 / / rw - fuse.overlay x rw\n";
        assert_eq!(foreign(table), [PathBuf::from("/Volumes"), PathBuf::from("/mnt/a b")]);
        let place = directory("foreign");
        let mut digests = digests();
        digests.foreign = vec![place.join("mount")];
        symlink("mount/file", place.join("link")).unwrap();
        symlink("link", place.join("chain")).unwrap();
        symlink("round", place.join("round")).unwrap();
        for name in ["mount/file", "link", "chain", "round"] {
            assert_eq!(digests.of(&place.join(name), MOST_FILE), "not read: on a foreign file system", "{name}");
        }
        assert!(!digests.foreign_to(&place.join("mounted")));
        fs::remove_dir_all(place).unwrap();
    }
}
