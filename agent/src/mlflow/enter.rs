//! Entering a directory as root where others may have been before: never through a symbolic link that somebody else could have
//! put there. A link counts only in a directory that nobody but its owner, root, can write to. What was entered is held open:
//! whoever moves it afterwards moves us with it, and not to another place.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use nix::fcntl::{AT_FDCWD, OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use nix::unistd::geteuid;

/// The kernel's own bound (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// A directory that is held open.
#[derive(Debug)]
pub(super) struct Directory {
    /// For the calls that end in `at`.
    pub(super) fd: OwnedFd,
    /// Where it lay when it was entered; no part of it is a link.
    pub(super) path: PathBuf,
}

/// Which links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// Those that only root can have made.
    Guarded,
    /// None: the path was resolved before.
    None,
}

/// Enters a directory by its absolute path.
///
/// # Errors
/// When it is not there, is none, or a link on the way does not count.
pub(super) fn enter(path: &Path, links: Links) -> io::Result<Directory> {
    let root = || held(&AT_FDCWD, OsStr::new("/"), OFlag::O_DIRECTORY);
    let mut at = Directory { fd: root()?, path: PathBuf::from("/") };
    // The next part is the last of these.
    let mut ahead: Vec<OsString> = parts(path);
    let mut followed = 0;
    while let Some(name) = ahead.pop() {
        match name.as_encoded_bytes() {
            b"/" => at = Directory { fd: root()?, path: PathBuf::from("/") },
            b".." => {
                at.fd = held(&at.fd, &name, OFlag::O_DIRECTORY)?;
                at.path.pop();
            }
            _ => {
                let next = held(&at.fd, &name, OFlag::empty())?;
                match kind(&fstat(&next)?) {
                    SFlag::S_IFDIR => {
                        at.fd = next;
                        at.path.push(name);
                    }
                    SFlag::S_IFLNK => {
                        followed += 1;
                        if followed > MOST_LINKS {
                            return Err(nix::errno::Errno::ELOOP.into());
                        }
                        ahead.extend(parts(&at.link(&name, links)?));
                    }
                    _ => return Err(io::ErrorKind::NotADirectory.into()),
                }
            }
        }
    }
    Ok(at)
}

impl Directory {
    /// Where a link in here leads.
    ///
    /// # Errors
    /// `InvalidInput` where it is no link; `PermissionDenied` where it does not count.
    pub(super) fn link(&self, name: &OsStr, links: Links) -> io::Result<PathBuf> {
        let target = readlinkat(&self.fd, name)?;
        if links == Links::Guarded && self.guarded()? {
            return Ok(target.into());
        }
        let whose = if links == Links::Guarded { "that others than root may have made" } else { "now" };
        let what = format!("{} is a symbolic link {whose}", self.path.join(name).display());
        Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
    }

    /// Whether nobody but root can have put anything here.
    fn guarded(&self) -> io::Result<bool> {
        let found = fstat(&self.fd)?;
        let ours = found.st_uid == 0 || found.st_uid == geteuid().as_raw();
        Ok(ours && found.st_mode & (Mode::S_IWGRP | Mode::S_IWOTH).bits() == 0)
    }
}

/// What kind of file this is.
pub(super) fn kind(found: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT
}

fn held(at: &impl AsFd, name: &OsStr, more: OFlag) -> io::Result<OwnedFd> {
    Ok(openat(at, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | more, Mode::empty())?)
}

/// The parts of a path, last to first.
fn parts(path: &Path) -> Vec<OsString> {
    path.components().rev().filter(|part| *part != Component::CurDir).map(|part| part.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_link_counts_only_where_nobody_else_can_have_put_it() {
        let base = fs::canonicalize(std::env::temp_dir()).unwrap().join(format!("longhorn-enter-{}", std::process::id()));
        let (real, open) = (base.join("real/lib"), base.join("open"));
        fs::create_dir_all(&real).unwrap();
        fs::create_dir_all(&open).unwrap();
        symlink("real", base.join("relative")).unwrap();
        symlink(base.join("./open/../relative"), base.join("absolute")).unwrap();
        symlink("../real", open.join("planted")).unwrap();
        symlink("loop", base.join("loop")).unwrap();
        fs::write(base.join("file"), b"").unwrap();
        fs::set_permissions(&base, fs::Permissions::from_mode(0o755)).unwrap();
        let entered = |path: &str, links| enter(&base.join(path), links).map(|found| found.path).map_err(|error| error.kind());
        let denied = Err(io::ErrorKind::PermissionDenied);
        for mode in [0o777, 0o775, 0o1777] {
            fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
            for (path, guarded, none) in [
                ("real/lib", Ok(real.clone()), Ok(real.clone())),
                ("relative/lib", Ok(real.clone()), denied.clone()),
                ("absolute/lib", Ok(real.clone()), denied.clone()),
                ("open", Ok(open.clone()), Ok(open.clone())),
                ("open/planted/lib", denied.clone(), denied.clone()),
                ("open/planted", denied.clone(), denied.clone()),
            ] {
                assert_eq!(entered(path, Links::Guarded), guarded, "{path} {mode:o}");
                assert_eq!(entered(path, Links::None), none, "{path} {mode:o}");
            }
        }
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(entered("open/planted/lib", Links::Guarded), Ok(real));
        assert_eq!(entered("absent", Links::Guarded), Err(io::ErrorKind::NotFound));
        assert_eq!(entered("file", Links::Guarded), Err(io::ErrorKind::NotADirectory));
        assert_eq!(enter(&base.join("loop"), Links::Guarded).unwrap_err().raw_os_error(), Some(nix::libc::ELOOP));
        fs::remove_dir_all(&base).unwrap();
    }
}
