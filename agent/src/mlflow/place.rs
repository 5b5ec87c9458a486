//! Placing the plugin and taking it away again. Each file appears whole or not at all, stands in the place of nobody else's, and
//! goes only if it is byte for byte as it was placed. Nothing here stops anybody: what did not work is a line.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fchmod, fstat, mkdirat};
use nix::unistd::{UnlinkatFlags, fchown, getegid, geteuid, linkat, unlinkat};

use super::enter::{Directory, Links, enter, kind};
use super::journal::{Change, Journal, changes, forget};
use super::sites::Sites;
use super::{FILES, PluginFile};
use crate::host::digest::sha256_hex;

/// What a file is called until it is whole. Only we make such names, in directories of the plugin's.
const UNFINISHED: &str = ".longhorn-new";
/// No file of ours is longer.
const MOST: u64 = 1 << 20;

/// Why the plugin is not in a directory.
#[derive(Debug, thiserror::Error)]
enum PlaceError {
    #[error("{} is there already and is not ours", .0.display())]
    Foreign(PathBuf),
    #[error("cannot {step} {}", .path.display())]
    Step {
        step: &'static str,
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

impl PlaceError {
    /// In one line, with its cause.
    fn whole(&self) -> String {
        self.source().map_or_else(|| self.to_string(), |cause| format!("{self}: {cause}"))
    }
}

fn at(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PlaceError {
    let path = path.to_owned();
    move |cause| PlaceError::Step { step, path, cause }
}

/// Places the plugin in each of the directories, as the journal then says. Returns a line for each that has none.
pub fn place(sites: &Sites, journal: &Path) -> Vec<String> {
    let line = |path: &Path, why: String| format!("longhorn: no MLflow plugin in {}: {why}", path.display());
    let mut lines: Vec<String> = sites.without.iter().map(|(path, why)| line(path, why.clone())).collect();
    if sites.directories.is_empty() {
        return lines;
    }
    let mut journal = match Journal::open(journal) {
        Ok(journal) => journal,
        // What could not be taken away again is not placed.
        Err(error) => {
            lines.push(line(&sites.directories[0], at("open", journal)(error).whole()));
            return lines;
        }
    };
    for site in &sites.directories {
        if let Err(error) = put(site, &mut journal) {
            lines.push(line(site, error.whole()));
        }
    }
    lines
}

/// All of it or nothing. What is there already and is ours is written down as well: it is taken away by whoever comes next.
fn put(site: &Path, journal: &mut Journal) -> Result<(), PlaceError> {
    let directory = enter(site, Links::None).map_err(at("enter", site))?;
    let mut missing = Vec::new();
    for file in &FILES {
        let path = site.join(file.folder).join(file.name);
        match there(&directory, file).map_err(at("look at", &path))? {
            There::Nothing => missing.push(file.name),
            There::Ours => {}
            There::Foreign => return Err(PlaceError::Foreign(path)),
        }
    }
    let mut changes: Vec<Change> = Vec::new();
    for file in &FILES {
        let place = site.join(file.folder);
        let path = place.join(file.name);
        // Once, and before what it holds: it is undone last.
        let folder = Change::Directory(place);
        if !changes.contains(&folder) {
            changes.push(folder);
        }
        changes.push(Change::File(path, sha256_hex(file.text.as_bytes())));
    }
    journal.note(&changes).map_err(at("write down what goes to", site))?;
    let outcome = FILES
        .iter()
        .filter(|file| missing.contains(&file.name))
        .try_for_each(|file| add(&directory.fd, file).map_err(at("write", &site.join(file.folder).join(file.name))));
    if outcome.is_err() {
        // The first error is the one that matters; the journal still names what stays.
        let _ = changes.iter().rev().map(undo).collect::<Vec<_>>();
    }
    outcome
}

/// What stands where a file of ours goes.
enum There {
    Nothing,
    Ours,
    Foreign,
}

fn there(site: &Directory, file: &PluginFile) -> io::Result<There> {
    let folder = match folder_of(&site.fd, file.folder) {
        Ok(folder) => folder,
        Err(Errno::ENOENT) => return Ok(There::Nothing),
        Err(Errno::ENOTDIR | Errno::ELOOP) => return Ok(There::Foreign),
        Err(errno) => return Err(errno.into()),
    };
    match content(&folder, file.name) {
        Ok(bytes) if bytes.as_deref() == Some(file.text.as_bytes()) => Ok(There::Ours),
        Ok(_) => Ok(There::Foreign),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(There::Nothing),
        Err(error) => Err(error),
    }
}

fn folder_of(site: &OwnedFd, name: &str) -> nix::Result<OwnedFd> {
    openat(site, name, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
}

/// What a regular file holds; `None` for anything else, and for what is longer than a file of ours.
fn content(folder: &OwnedFd, name: &str) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = match openat(folder, name, flags, Mode::empty()) {
        // A link, a socket.
        Err(Errno::ELOOP | Errno::ENXIO) => return Ok(None),
        other => File::from(other?),
    };
    if kind(&fstat(&file)?) != SFlag::S_IFREG {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= MOST))
}

fn add(site: &OwnedFd, file: &PluginFile) -> io::Result<()> {
    let folder = match folder_of(site, file.folder) {
        Err(Errno::ENOENT) => {
            mkdirat(site, file.folder, Mode::from_bits_truncate(0o755))?;
            let folder = folder_of(site, file.folder)?;
            own(folder.as_fd(), 0o755)?;
            folder
        }
        other => other?,
    };
    let unfinished = format!("{}{UNFINISHED}", file.name);
    clear(&folder, &unfinished)?;
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut new = File::from(openat(&folder, unfinished.as_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR)?);
    new.write_all(file.text.as_bytes())?;
    own(new.as_fd(), 0o644)?;
    new.sync_all()?;
    // A link, unlike a rename, does not replace what somebody put there meanwhile.
    let linked = linkat(&folder, unfinished.as_str(), &folder, file.name, AtFlags::empty());
    let cleared = clear(&folder, &unfinished);
    Ok(linked.and(cleared)?)
}

/// Root's, as `init` is root, whatever group the directory hands on.
fn own(file: BorrowedFd<'_>, mode: u32) -> nix::Result<()> {
    fchown(file, Some(geteuid()), Some(getegid()))?;
    fchmod(file, Mode::from_bits_truncate(mode))
}

/// Removes a file, if it is there.
fn clear(folder: &OwnedFd, name: &str) -> nix::Result<()> {
    match unlinkat(folder, name, UnlinkatFlags::NoRemoveDir) {
        Err(Errno::ENOENT) => Ok(()),
        other => other,
    }
}

/// Takes away what the journal names, last first; safe to repeat. Returns a line for each that stays: because somebody changed it,
/// or because it could not be done, and then the journal stays as well, for the next time.
pub fn remove(journal: &Path) -> Vec<String> {
    let failed = |error: PlaceError| format!("longhorn: the MLflow plugin is left: {}", error.whole());
    let changes = match changes(journal) {
        Ok(changes) => changes,
        Err(error) => return vec![failed(at("read", journal)(error))],
    };
    let (mut lines, mut whole) = (Vec::new(), true);
    for change in changes.iter().rev() {
        match undo(change) {
            Ok(None) => {}
            Ok(Some(why)) => lines.push(format!("longhorn: left as it is: {} {why}", change.path().display())),
            Err(error) => {
                whole = false;
                lines.push(failed(at("remove", change.path())(error)));
            }
        }
    }
    if whole && let Err(error) = forget(journal) {
        lines.push(failed(at("remove", journal)(error)));
    }
    lines
}

/// Returns why something stays.
fn undo(change: &Change) -> io::Result<Option<&'static str>> {
    let path = change.path();
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str)) else { return Ok(None) };
    let folder = match enter(parent, Links::None) {
        Ok(folder) => folder.fd,
        // Somebody took it away, with all that was in it, or put something else there.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error),
    };
    match change {
        Change::Directory(_) => match unlinkat(&folder, name, UnlinkatFlags::RemoveDir) {
            Ok(()) | Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(None),
            Err(Errno::ENOTEMPTY | Errno::EEXIST) => Ok(Some("holds what is not ours")),
            Err(errno) => Err(errno.into()),
        },
        Change::File(_, digest) => {
            clear(&folder, &format!("{name}{UNFINISHED}"))?;
            let stays = match content(&folder, name) {
                Ok(Some(bytes)) if sha256_hex(&bytes) == *digest => {
                    clear(&folder, name)?;
                    None
                }
                Ok(_) => Some("was changed since it was placed"),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            forget_compiled(&folder, name)?;
            Ok(stays)
        }
    }
}

/// What Python wrote of a module of ours when root imported it (PEP 3147): `__pycache__/NAME.*.pyc`.
fn forget_compiled(folder: &OwnedFd, name: &str) -> io::Result<()> {
    let Some(module) = name.strip_suffix(".py") else { return Ok(()) };
    let cache = match folder_of(folder, "__pycache__") {
        Ok(cache) => cache,
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(()),
        Err(errno) => return Err(errno.into()),
    };
    // The directory that is held open, whatever its name leads to by now.
    for entry in fs::read_dir(format!("/proc/self/fd/{}", cache.as_raw_fd()))? {
        let name = entry?.file_name();
        // Names of ours are text.
        let Some(name) = name.to_str() else { continue };
        if name.strip_prefix(module).is_some_and(|rest| rest.starts_with('.') && rest.contains(".pyc")) {
            clear(&cache, name)?;
        }
    }
    match unlinkat(folder, "__pycache__", UnlinkatFlags::RemoveDir) {
        Ok(()) | Err(Errno::ENOENT | Errno::ENOTEMPTY | Errno::EEXIST) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests;
