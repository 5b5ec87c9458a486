//! What of the plugin was placed where: each line is durable before the change that it names, so that a run that was killed can be
//! undone, and one of another version as well. `directory PATH` and `file SHA-256 PATH`, each with its line end.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// One change.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A directory was made.
    Directory(PathBuf),
    /// A file was written: its path, and SHA-256 (hex) over its bytes.
    File(PathBuf, String),
}

impl Change {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Directory(path) | Self::File(path, _) => path,
        }
    }

    fn read(line: &[u8]) -> Option<Self> {
        let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
        if let Some(rest) = line.strip_prefix(b"directory ") {
            return Some(Self::Directory(path(rest)));
        }
        let (digest, rest) = line.strip_prefix(b"file ")?.split_at_checked(64)?;
        Some(Self::File(path(rest.strip_prefix(b" ")?), String::from_utf8(digest.to_vec()).ok()?))
    }
}

pub(super) struct Journal(File);

impl Journal {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(nix::libc::O_NOFOLLOW).open(path).map(Self)
    }

    pub(super) fn note(&mut self, changes: &[Change]) -> io::Result<()> {
        let mut lines = Vec::new();
        for change in changes {
            match change {
                Change::Directory(_) => lines.extend(b"directory "),
                Change::File(_, digest) => [b"file ", digest.as_bytes(), b" "].iter().for_each(|part| lines.extend(*part)),
            }
            let path = change.path().as_os_str().as_bytes();
            if path.contains(&b'\n') {
                return Err(io::ErrorKind::InvalidFilename.into());
            }
            lines.extend(path);
            lines.push(b'\n');
        }
        self.0.write_all(&lines)?;
        self.0.sync_data()
    }
}

/// The changes, first to last; none without a journal.
pub(super) fn changes(path: &Path) -> io::Result<Vec<Change>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    // A last line that was cut names a change that was not made yet.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    Ok(bytes[..whole].split(|byte| *byte == b'\n').filter_map(Change::read).collect())
}

/// Nothing is left to undo.
pub(super) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
