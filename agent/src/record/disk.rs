//! Where segments lie. The seam at which tests stop the disk after any byte.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A place for segments.
pub trait Disk: Send {
    /// A new, empty segment that begins with record `first`; durable as a name when this returns.
    ///
    /// # Errors
    /// When it cannot be made.
    fn segment(&mut self, first: u64) -> io::Result<Box<dyn Segment>>;
}

/// One segment.
pub trait Segment: Send {
    /// Appends all bytes.
    ///
    /// # Errors
    /// When not all could be written.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// When it may not be.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts back to `length` bytes.
    ///
    /// # Errors
    /// When it cannot.
    fn cut(&mut self, length: usize) -> io::Result<()>;
}

/// A directory of files `seg-<first record>.jsonl`.
pub struct Directory(PathBuf);

impl Directory {
    /// Makes the directory (0700); its name is durable when this returns.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        std::fs::DirBuilder::new().mode(0o700).create(path)?;
        if let Some(parent) = path.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(Self(path.to_owned()))
    }
}

impl Disk for Directory {
    fn segment(&mut self, first: u64) -> io::Result<Box<dyn Segment>> {
        let name = format!("seg-{first:020}.jsonl");
        let path = self.0.join(&name);
        // A segment of this very number that holds nothing is left by a write that failed, and goes on. The sidecar may not
        // remove it: under its lock nothing that was recorded can be taken away.
        let left = std::fs::metadata(&path).is_ok_and(|meta| meta.len() == 0);
        let file = OpenOptions::new().append(true).create_new(!left).mode(0o600).open(&path)?;
        file.sync_all()?;
        File::open(&self.0)?.sync_all()?;
        Ok(Box::new(Plain(file)))
    }
}

struct Plain(File);

impl Segment for Plain {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
    fn cut(&mut self, length: usize) -> io::Result<()> {
        self.0.set_len(length as u64)
    }
}
