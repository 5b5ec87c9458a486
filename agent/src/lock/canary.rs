//! How a process shows that it is inside: a file that the domain denies, beside one of identical owner and mode that it
//! allows. Environment variables cannot fake that, and neither can an unlocked process.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A profile's pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canaries {
    /// Denied inside.
    pub denied: PathBuf,
    /// Allowed inside.
    pub sibling: PathBuf,
}

/// Makes the pair of a profile below `directory`.
///
/// # Errors
/// When the files cannot be made.
pub fn create(directory: &Path, profile: &str) -> io::Result<Canaries> {
    let own = directory.join(profile);
    fs::create_dir_all(&own)?;
    fs::set_permissions(&own, Permissions::from_mode(0o755))?;
    let pair = Canaries { denied: own.join("denied"), sibling: own.join("sibling") };
    for path in [&pair.denied, &pair.sibling] {
        fs::write(path, b"longhorn\n")?;
        fs::set_permissions(path, Permissions::from_mode(0o444))?;
    }
    Ok(pair)
}

/// Whether the canary can be read: no process inside can.
pub fn readable(denied: &Path) -> bool {
    File::open(denied).is_ok()
}

/// Whether the file system says "inside": EACCES on the canary *and* success on its sibling. A process that can read
/// neither, or both, or misses one, is not known to be inside.
pub fn sings(denied: &Path, sibling: &Path) -> bool {
    File::open(denied).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied) && File::open(sibling).is_ok()
}
