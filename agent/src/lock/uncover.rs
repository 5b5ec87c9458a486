//! Taking covers away: only where they can be reached, only what is ours, and never a success that was none.

use std::fs::{self, File};
use std::io::{self, BufRead};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use longhorn_sys::mark;
use nix::mount::{MntFlags, umount2};

use super::cover::{Change, CoverError, KEPT, OWN_NAMESPACE, at, namespace_of};
use super::namespace::mounts;
use super::sealed::SealedLock;
use crate::exit::Exit;
use crate::host::paths;
use crate::screen::Screen;

/// No launcher is longer; a file that is, is not read.
const MOST: u64 = 256 << 20;

/// Covers that cannot be taken away from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutOfReach {
    /// They stand in another mount namespace: here they are not seen, or as copies that do not count.
    Elsewhere {
        /// One of them.
        cover: PathBuf,
        /// A process that lives there.
        process: String,
    },
    /// They stand here, and the journal that says how to take them away is gone.
    Unknown {
        /// Each with what takes it away.
        covers: Vec<(PathBuf, String)>,
    },
}

impl OutOfReach {
    /// What a person reads.
    pub fn screen(&self) -> Screen {
        match self {
            Self::Elsewhere { cover, process } => {
                Screen::refused("covers-elsewhere", Exit::Os, "the covers of this node stand in another mount namespace")
                    .fact("cover", cover.display())
                    .fact("expected", format!("the mount namespace of process {process}"))
                    .fact("presented", "another one, from which they cannot be taken away")
                    .hint(format!(
                        "nothing was changed; from there it works: `nsenter --mount --target {process} longhorn uninstall`"
                    ))
            }
            Self::Unknown { covers } => {
                let screen = Screen::refused("covers-unknown", Exit::NoInput, "the journal of this node's covers is gone")
                    .fact("expected", paths::COVERS)
                    .fact("presented", "no such file, and covers that stand");
                let hint =
                    "nothing was changed: take each cover away by the command beside it, then run `longhorn uninstall` again";
                covers.iter().fold(screen, |screen, (cover, how)| screen.fact(cover.display().to_string(), how)).hint(hint)
            }
        }
    }
}

/// Whether [`uninstall`] would find every cover from here.
///
/// # Errors
/// The screen of covers that are out of reach, or of a journal that cannot be read; nothing was changed.
pub fn within_reach() -> Result<(), Screen> {
    let out = match journal() {
        Ok(Some(changes)) => elsewhere(&changes),
        Ok(None) => unknown(),
        Err(error) => Err(error),
    };
    match out.map_err(|error| Screen::failed_on_node("undo-failed", &error))? {
        Some(out) => Err(out.screen()),
        None => Ok(()),
    }
}

/// Covers that no journal names: files that our launcher is mounted over, and programs that the sealed lock finds kept beside
/// their covers.
fn unknown() -> Result<Option<OutOfReach>, CoverError> {
    let own = Path::new("/proc/self/mountinfo");
    let mounted = mounts(own).map_err(|error| at("read", own)(io::Error::other(error)))?;
    // Only what is mounted from where launchers are is looked at: a file system whose server hangs has its mount point here, too.
    let launchers = Path::new(paths::LAUNCHERS).file_name().expect("the path has a last part");
    let from_ours = |root: &Path| root.ancestors().any(|one| one.file_name() == Some(launchers));
    let mounted = mounted.into_iter().filter(|mount| from_ours(&mount.root)).map(|mount| mount.point);
    // What cannot be read is no launcher: every caller may read those.
    let mounted = mounted.filter(|point| is_cover(point).unwrap_or(false));
    let mut covers: Vec<(PathBuf, String)> =
        mounted.map(|point| (point.clone(), format!("umount {}", point.display()))).collect();
    let lock = SealedLock::open(Path::new(paths::LOCK)).ok();
    for target in lock.iter().flat_map(|lock| &lock.seal.targets) {
        let kept = target.real.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(KEPT));
        let Some(program) = kept.map(|name| target.real.with_file_name(name)) else { continue };
        if target.real.exists() {
            let covered = is_cover(&program).unwrap_or(!program.exists());
            let kept = target.real.display();
            let how = if covered { format!("mv {kept} {}", program.display()) } else { format!("rm {kept}") };
            covers.push((program, how));
        }
    }
    Ok(if covers.is_empty() { None } else { Some(OutOfReach::Unknown { covers }) })
}

/// A process that lives in a mount namespace that covers were made in, and still sees one there, while this one lives in
/// another. A namespace without a process went, and its mounts with it.
fn elsewhere(changes: &[Change]) -> Result<Option<OutOfReach>, CoverError> {
    let own = Path::new(OWN_NAMESPACE);
    let own = namespace_of(own).map_err(at("look at", own))?;
    let others: Vec<u64> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Within(namespace) => (*namespace != own).then_some(*namespace),
            Change::Mount(_) | Change::Replace(..) => None,
        })
        .collect();
    if others.is_empty() {
        return Ok(None);
    }
    let all = Path::new("/proc");
    for process in fs::read_dir(all).map_err(at("list", all))?.filter_map(Result::ok) {
        // What ended by now is no witness.
        let Ok(namespace) = namespace_of(&process.path().join("ns/mnt")) else { continue };
        if !others.contains(&namespace) {
            continue;
        }
        let Ok(there) = mounts(&process.path().join("mountinfo")) else { continue };
        let cover = changes.iter().rev().find_map(|change| match change {
            Change::Mount(point) => there.iter().any(|mount| mount.point == *point).then(|| point.clone()),
            Change::Within(_) | Change::Replace(..) => None,
        });
        if let Some(cover) = cover {
            return Ok(Some(OutOfReach::Elsewhere { cover, process: process.file_name().to_string_lossy().into_owned() }));
        }
    }
    Ok(None)
}

/// The changes that the journal names, first to last; `None` without a journal.
fn journal() -> Result<Option<Vec<Change>>, CoverError> {
    let path = Path::new(paths::COVERS);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at("read", path)(error)),
    };
    let lines = io::BufReader::new(file).lines().collect::<Result<Vec<_>, _>>().map_err(at("read", path))?;
    // A last line that was cut names a change that was not made yet.
    Ok(Some(lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()))
}

/// Undoes every change that the journal names, last first. Safe to repeat. Returns the programs that somebody replaced since
/// they were covered: they are left as they are.
///
/// # Errors
/// When a program cannot be put back.
pub fn uninstall() -> Result<Vec<PathBuf>, CoverError> {
    let mut replaced = Vec::new();
    let Some(changes) = journal()? else { return Ok(replaced) };
    for change in changes.into_iter().rev() {
        match change {
            Change::Within(_) => {}
            // EINVAL: not a mount point (any more). ENOENT: never made.
            Change::Mount(point) => match umount2(&point, MntFlags::MNT_DETACH) {
                Ok(()) | Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOENT) => {}
                Err(errno) => return Err(at("uncover", &point)(errno.into())),
            },
            Change::Replace(program, kept) => {
                if put_back(&program, &kept).map_err(at("put back", &program))? == Found::Another {
                    replaced.push(program);
                }
                let mut new = kept.into_os_string();
                new.push(".new");
                // Left only by a run that was killed between writing and renaming it.
                let _ = fs::remove_file(new);
            }
        }
    }
    let path = Path::new(paths::COVERS);
    fs::remove_file(path).map_err(at("remove", path))?;
    Ok(replaced)
}

/// What was found where a program was covered by rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// Our cover, nothing, or the program itself: it is there now.
    Ours,
    /// A file of somebody else's, as a package's next version: it stays, and the version that it replaced goes.
    Another,
}

fn put_back(program: &Path, kept: &Path) -> io::Result<Found> {
    let Some(real) = there(kept)? else { return Ok(Found::Ours) };
    let Some(found) = there(program)? else { return fs::rename(kept, program).map(|()| Found::Ours) };
    if is_cover(program)? {
        return fs::rename(kept, program).map(|()| Found::Ours);
    }
    fs::remove_file(kept)?;
    // Two names of one file: a run that was killed between keeping the program and covering it.
    let same = (found.dev(), found.ino()) == (real.dev(), real.ino());
    Ok(if same { Found::Ours } else { Found::Another })
}

fn there(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Whether a file is a copy of the launcher that stands for a program.
fn is_cover(path: &Path) -> io::Result<bool> {
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_file() || meta.len() > MOST {
        return Ok(false);
    }
    let bytes = fs::read(path)?;
    Ok(mark::place_in(&bytes).is_some_and(|number| bytes[number] != [0; 4]))
}

/// Takes away the directories that programs' own trees were bound at. Whatever is still mounted there goes first, whether
/// or not a journal names it, and only empty directories are removed: nothing below a bind is ever walked into.
///
/// # Errors
/// When one does not go.
pub fn remove_real() -> Result<(), CoverError> {
    let path = Path::new(paths::REAL);
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(at("list", path))?,
    };
    for entry in entries {
        let place = entry.map_err(at("list", path))?.path();
        while umount2(&place, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW).is_ok() {}
        fs::remove_dir(&place).map_err(at("remove", &place))?;
    }
    fs::remove_dir(path).map_err(at("remove", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_comes_back_over_its_cover_alone_and_what_somebody_put_in_its_place_stays() {
        let directory = std::env::temp_dir().join(format!("longhorn-uncover-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (program, kept) = (directory.join("program"), directory.join(".longhorn.program"));
        let mut cover = fs::read("/proc/self/exe").unwrap();
        let number = mark::place_in(&cover).unwrap();
        let agent = cover.clone();
        cover[number].copy_from_slice(&7u32.to_le_bytes());
        let rows: [(Option<&[u8]>, Found, &str); 4] = [
            (Some(&cover), Found::Ours, "a cover"),
            (None, Found::Ours, "nothing"),
            (Some(b"upgraded"), Found::Another, "a package's next version"),
            (Some(&agent), Found::Another, "a copy of the binary that stands for nothing"),
        ];
        for (stands, found, what) in rows {
            fs::write(&kept, b"real").unwrap();
            let _ = fs::remove_file(&program);
            if let Some(bytes) = stands {
                fs::write(&program, bytes).unwrap();
            }
            assert_eq!(put_back(&program, &kept).unwrap(), found, "{what}");
            let left = stands.filter(|_| found == Found::Another).unwrap_or(b"real");
            assert!(fs::read(&program).unwrap() == left && !kept.exists(), "{what}");
        }
        fs::hard_link(&program, &kept).unwrap();
        assert_eq!(put_back(&program, &kept).unwrap(), Found::Ours, "one file by two names");
        assert!(program.exists() && !kept.exists());
        fs::remove_dir_all(&directory).unwrap();
    }
}
