//! What the keeper writes: the lease and the context files. Every file appears whole or not at all.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use longhorn_sys::mem::SharedMap;

use crate::host::clock::BootTime;
use crate::host::paths;
use crate::wire::lease::{BootId, END_OFFSET, SIZE, encode};

/// The lease file, mapped.
#[derive(Debug)]
pub struct Lease {
    map: SharedMap,
}

impl Lease {
    /// Makes an ended lease for this boot.
    ///
    /// # Errors
    /// When the file cannot be made or mapped.
    pub fn create(boot: &BootId) -> io::Result<Self> {
        place(Path::new(paths::LEASE), &encode(boot, BootTime(0)))?;
        let file = OpenOptions::new().read(true).write(true).open(paths::LEASE)?;
        Ok(Self { map: SharedMap::new(&file, SIZE)? })
    }

    /// Moves the end; never backwards.
    pub fn extend(&mut self, end: BootTime) {
        if end.0 > self.map.load_u64(END_OFFSET) {
            self.map.store_u64(END_OFFSET, end.0);
        }
    }

    /// Whether it allows a launch at `now`.
    pub fn runs(&self, now: BootTime) -> bool {
        now.0 < self.map.load_u64(END_OFFSET)
    }

    /// Ends it now.
    pub fn end(&mut self) {
        self.map.store_u64(END_OFFSET, 0);
    }
}

/// Publishes a context.
///
/// # Errors
/// When a file cannot be written; the old ones then still stand.
pub fn context(json: &[u8], token: &[u8]) -> io::Result<()> {
    place(Path::new(paths::CONTEXT_JSON), json)?;
    place(Path::new(paths::CONTEXT_JWT), token)
}

/// Takes the context away.
///
/// # Errors
/// When a file is there and cannot be removed.
pub fn withdraw() -> io::Result<()> {
    remove(Path::new(paths::CONTEXT_JSON))?;
    remove(Path::new(paths::CONTEXT_JWT))
}

/// Writes a root-owned 0444 file beside its place, then renames it there.
///
/// # Errors
/// When it cannot be written whole; nothing of it is left then.
pub fn place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().map(std::ffi::OsStr::to_os_string).ok_or(io::ErrorKind::InvalidInput)?;
    name.push(".new");
    let new = path.with_file_name(name);
    remove(&new)?;
    let placed = write(&new, bytes).and_then(|()| fs::rename(&new, path));
    if placed.is_err() {
        // The first error is the one that matters; a file that stays is removed by the next run.
        let _ = remove(&new);
    }
    placed
}

fn write(new: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(bytes)?;
    file.set_permissions(Permissions::from_mode(0o444))?;
    file.sync_all()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};

    use super::*;

    #[test]
    #[expect(clippy::print_stdout, reason = "a named skip is what the run reports")]
    fn a_file_that_does_not_fit_is_an_error_and_nothing_of_it_is_left() {
        if !nix::unistd::geteuid().is_root() {
            println!("SKIP full disks: needs root");
            return;
        }
        // This thread's own view: one page of room, seen by nobody else.
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
        let directory = std::env::temp_dir().join(format!("longhorn-place-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        mount(Some("small"), &directory, Some("tmpfs"), MsFlags::empty(), Some("size=4k")).unwrap();
        let path = directory.join("file");
        place(&path, &[b'a'; 100]).unwrap();
        let placed = place(&path, &[b'b'; 10_000]).map_err(|error| error.kind());
        assert_eq!(placed, Err(io::ErrorKind::StorageFull));
        assert_eq!(fs::read(&path).unwrap(), [b'a'; 100], "the old file stands");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "nothing lies beside it");
        nix::mount::umount(&directory).unwrap();
        fs::remove_dir(&directory).unwrap();
    }
}
