//! What of the plugin was placed where: each line is durable before the change that it names, so that a run that was killed can be
//! undone, and one of another version as well.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One change.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
}

pub(super) struct Journal(File);

impl Journal {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(nix::libc::O_NOFOLLOW).open(path).map(Self)
    }

    pub(super) fn note(&mut self, changes: &[Change]) -> io::Result<()> {
        let mut lines = Vec::new();
        for change in changes {
            serde_json::to_writer(&mut lines, change).map_err(io::Error::other)?;
            lines.push(b'\n');
        }
        self.0.write_all(&lines)?;
        self.0.sync_data()
    }
}

/// The changes, first to last; none without a journal.
pub(super) fn changes(path: &Path) -> io::Result<Vec<Change>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        // A last line that was cut names a change that was not made yet.
        other => Ok(other?.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
    }
}

/// Nothing is left to undo.
pub(super) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
