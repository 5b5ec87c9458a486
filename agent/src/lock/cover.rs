//! Covers: a copy of the launcher stands where a program was. By bind mount where the node allows mounts, else by rename
//! in the same directory. Every change is in the journal before it is made, so that a run that was killed can be undone.
//!
//! The real program stays reachable under its own base name, in a directory beside the same neighbours, so that
//! `$ORIGIN` still finds its libraries: a bind of the whole prefix (`/usr` for `/usr/bin/python3.11`). Without mounts the
//! neighbours win over the name: the program stays in its directory as `.longhorn.<name>`.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use longhorn_sys::mark;
use nix::mount::{MsFlags, mount};
use serde::{Deserialize, Serialize};

use super::namespace::make_read_only;
use super::plan::Target;
use super::sealed::SealedTarget;
use crate::host::paths;

/// How covers are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Bind mounts.
    Bind,
    /// Rename in the same directory.
    Rename,
}

/// What covers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Launches are locked: without the sealed lock there is none.
    Lock,
    /// Launches are observed: a link beside each copy finds the program where the sealed lock does not.
    Observe,
}

/// Where an observing installation, and no other, says which program a copy stands for. Only root writes there, and no lock
/// grants it: a copy that is left from such an installation finds nothing on a node that enforces.
pub fn observed_program(number: u32) -> PathBuf {
    Path::new(paths::LAUNCHERS).join(format!("{number}.real"))
}

/// One change, as the journal names it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Change {
    /// What follows is done in this mount namespace.
    Within(u64),
    /// Something was mounted here.
    Mount(PathBuf),
    /// The program was linked to the second path and replaced at the first.
    Replace(PathBuf, PathBuf),
}

/// A cover that could not be made or taken away.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step} {path}")]
pub struct CoverError {
    step: &'static str,
    path: PathBuf,
    #[source]
    cause: io::Error,
}

pub(super) fn at(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CoverError {
    let path = path.to_owned();
    move |cause| CoverError { step, path, cause }
}

/// What was covered.
#[derive(Debug, Default)]
pub struct Covered {
    /// Covered, with the real programs.
    pub targets: Vec<SealedTarget>,
    /// Named by the policy and not there.
    pub absent: Vec<PathBuf>,
    /// Trees that show a second time, each by a bind mount of its own.
    pub shown: Vec<Shown>,
}

/// A tree that shows in two places, so that a covered program stays among its neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Where it lies.
    pub tree: PathBuf,
    /// Where it shows as well, read-only.
    pub at: PathBuf,
}

const NONE: Option<&str> = None;
/// What a program's name begins with where it is kept beside its cover.
pub(super) const KEPT: &str = ".longhorn.";

/// Covers every target with a numbered copy of `launcher`.
///
/// # Errors
/// At the first that fails; the journal then says what [`super::uncover::uninstall`] must undo.
pub fn install(targets: &[Target], launcher: &[u8], means: Means, purpose: Purpose) -> Result<Covered, CoverError> {
    let number_place = mark::place_in(launcher)
        .ok_or(io::ErrorKind::InvalidData)
        .map_err(|kind| at("number", Path::new(paths::BINARY))(kind.into()))?;
    let mut journal = Journal::open()?;
    let own = Path::new(OWN_NAMESPACE);
    journal.note(&Change::Within(namespace_of(own).map_err(at("look at", own))?))?;
    let launchers = Path::new(paths::LAUNCHERS);
    fs::DirBuilder::new().recursive(true).mode(0o755).create(launchers).map_err(at("make", launchers))?;
    let mut covered = Covered::default();
    let mut seen = Vec::new();
    for target in targets {
        let Ok(program) = fs::canonicalize(&target.path) else {
            covered.absent.push(target.path.clone());
            continue;
        };
        // Two names of one program need one cover; the first decides, and `root` targets come first.
        if seen.contains(&program) {
            continue;
        }
        let mut copy = launcher.to_vec();
        let kept = |real: &Path| {
            let link = observed_program(target.number);
            std::os::unix::fs::symlink(real, &link).map_err(at("link", &link))
        };
        let observed = (purpose == Purpose::Observe).then_some(&kept as &KeptLink<'_>);
        copy[number_place.clone()].copy_from_slice(&target.number.to_le_bytes());
        let real = match means {
            Means::Bind => {
                let (shown, real) = by_bind(&program, target.number, &copy, &mut journal, observed)?;
                covered.shown.push(shown);
                real
            }
            Means::Rename => by_rename(&program, &copy, &mut journal, observed)?,
        };
        covered.targets.push(SealedTarget { number: target.number, kind: target.kind, real });
        seen.push(program);
    }
    Ok(covered)
}

/// Says which program a copy stands for, before the copy stands there.
type KeptLink<'a> = dyn Fn(&Path) -> Result<(), CoverError> + 'a;

fn by_bind(
    program: &Path,
    number: u32,
    copy: &[u8],
    journal: &mut Journal,
    link: Option<&KeptLink<'_>>,
) -> Result<(Shown, PathBuf), CoverError> {
    let directory = program.parent().unwrap_or(Path::new("/"));
    // Never the whole root: what is bound here is as readable as the rules on its inodes allow, whatever path they name.
    let prefix = directory.parent().filter(|prefix| prefix.parent().is_some()).unwrap_or(directory);
    let bound = Path::new(paths::REAL).join(number.to_string());
    fs::DirBuilder::new().recursive(true).mode(0o755).create(&bound).map_err(at("make", &bound))?;
    journal.note(&Change::Mount(bound.clone()))?;
    mount(Some(prefix), &bound, NONE, MsFlags::MS_BIND, NONE).map_err(|errno| at("bind", &bound)(errno.into()))?;
    mount(NONE, &bound, NONE, MsFlags::MS_PRIVATE, NONE).map_err(|errno| at("make private", &bound)(errno.into()))?;
    // The program's own tree shows through: nothing may be changed or removed by this way.
    make_read_only(&bound).map_err(|error| at("make read-only", &bound)(io::Error::other(error)))?;
    let launcher = Path::new(paths::LAUNCHERS).join(number.to_string());
    write(&launcher, copy)?;
    let real = bound.join(program.strip_prefix(prefix).expect("the prefix is an ancestor of the program"));
    link.map_or(Ok(()), |link| link(&real))?;
    journal.note(&Change::Mount(program.to_owned()))?;
    mount(Some(&launcher), program, NONE, MsFlags::MS_BIND, NONE).map_err(|errno| at("cover", program)(errno.into()))?;
    Ok((Shown { tree: prefix.to_owned(), at: bound }, real))
}

fn by_rename(program: &Path, copy: &[u8], journal: &mut Journal, link: Option<&KeptLink<'_>>) -> Result<PathBuf, CoverError> {
    let name = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let kept = program.with_file_name(format!("{KEPT}{name}"));
    let new = program.with_file_name(format!("{KEPT}{name}.new"));
    write(&new, copy)?;
    journal.note(&Change::Replace(program.to_owned(), kept.clone()))?;
    fs::hard_link(program, &kept).map_err(at("keep", &kept))?;
    link.map_or(Ok(()), |link| link(&kept))?;
    // One rename: there is no instant at which the name leads nowhere.
    fs::rename(&new, program).map_err(at("cover", program))?;
    Ok(kept)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CoverError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at("replace", path)(error)),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(at("write", path))?;
    file.write_all(bytes).map_err(at("write", path))?;
    file.set_permissions(Permissions::from_mode(0o555)).map_err(at("set the mode of", path))
}

/// The mount namespace that this process is in.
pub(super) const OWN_NAMESPACE: &str = "/proc/self/ns/mnt";

/// The number by which the kernel tells one mount namespace from another (namespaces(7)).
pub(super) fn namespace_of(path: &Path) -> io::Result<u64> {
    fs::metadata(path).map(|meta| meta.ino())
}

struct Journal(File);

impl Journal {
    fn open() -> Result<Self, CoverError> {
        let path = Path::new(paths::COVERS);
        OpenOptions::new().append(true).create(true).open(path).map(Self).map_err(at("open", path))
    }

    /// Durable before the change is made.
    fn note(&mut self, change: &Change) -> Result<(), CoverError> {
        let mut line = serde_json::to_vec(change).map_err(io::Error::other).map_err(at("describe", Path::new(paths::COVERS)))?;
        line.push(b'\n');
        self.0.write_all(&line).and_then(|()| self.0.sync_data()).map_err(at("write", Path::new(paths::COVERS)))
    }
}
