//! Applies a lock to this process, in the one order that works (facts: each step needs what a later one takes away).
//! The only maker of [`Locked`].

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use longhorn_sys::landlock::{CONNECT_TCP, LOG_AFTER_EXEC, ON_FILE, READ_FILE, Ruleset, handled, scopes};
use longhorn_sys::{caps, process, seccomp};
use nix::sched::{CloneFlags, setns};
use nix::sys::prctl;

use super::canary;
use super::files::rights;
use super::network::allow_other_ports;
use super::report::{MountReport, Report};
use super::sealed::SealedLock;
use crate::wire::report::Enforced;

/// Proof that this process is locked. Only this file makes one; `launch::exec` consumes it.
#[derive(Debug)]
#[must_use]
pub struct Locked {
    report: Report,
}

impl Locked {
    /// What was enforced.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// Where the process stands in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It starts a locked tree: namespaces are entered.
    Root,
    /// It starts a tree in namespaces that it made itself (`longhorn try`).
    OwnNamespace,
}

/// The step that failed. The process must end: it is neither free nor locked.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The pinned namespace cannot be entered.
    #[error("cannot enter the pinned namespace {path}")]
    Namespace {
        /// Where it is pinned.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// prctl(PR_SET_NO_NEW_PRIVS).
    #[error("cannot set no_new_privs")]
    NoNewPrivs(#[source] nix::errno::Errno),
    /// Landlock.
    #[error("cannot restrict file access")]
    Landlock(#[source] io::Error),
    /// The capability cut.
    #[error("cannot cut capabilities")]
    Capabilities(#[source] io::Error),
    /// The bounding set stays as it is, and the lock seals that it goes.
    #[error("this process cannot give the lock that is sealed on this node")]
    CapabilitiesStay,
    /// The filter.
    #[error("cannot install the system call filter")]
    Filter(#[source] io::Error),
    /// Descriptors.
    #[error("cannot close inherited descriptors")]
    Descriptors(#[source] io::Error),
}

/// Where a process stands, seen from the lock.
#[derive(Debug)]
pub enum Standing {
    /// Inside this very profile: the marks that the lock leaves, and its canary. Everything was inherited; nothing is
    /// added, because each Landlock layer counts (16 at most) and a new one would cut the process off from its parent.
    Inside(Locked),
    /// Certainly not in a locked tree: without its marks, which no process gets rid of, or able to read the canary, which no
    /// process inside can.
    Outside,
    /// Neither: a locked process that hides the canary's sibling from itself, or one of another lock.
    Unclear,
}

/// Asks the kernel where this process stands.
pub fn standing(lock: &SealedLock) -> Standing {
    let marked = prctl::get_no_new_privs().unwrap_or(true) && (lock.filter.is_empty() || seccomp::filtered());
    if !marked || canary::readable(&lock.seal.canary) {
        return Standing::Outside;
    }
    if canary::sings(&lock.seal.canary, &lock.seal.sibling) { Standing::Inside(inherited(lock)) } else { Standing::Unclear }
}

/// What the canary and the marks show of Landlock and filter; of the rest, what the tree's root was not launched without.
fn inherited(lock: &SealedLock) -> Locked {
    let mount = if lock.seal.mount.is_some() { MountReport::Inherited } else { MountReport::Absent };
    let enforced = enforced(lock, mount, !lock.capabilities_stay());
    Locked {
        report: Report {
            enforced,
            landlock: lock.landlock,
            rules: lock.rules.len(),
            missing: Vec::new(),
            mount,
            filter: lock.filter.len(),
        },
    }
}

fn enforced(lock: &SealedLock, mount: MountReport, capabilities_cut: bool) -> Enforced {
    Enforced::default()
        .with(Enforced::LANDLOCK, lock.landlock > 0)
        .with(Enforced::MOUNT, mount != MountReport::Absent)
        .with(Enforced::CAPABILITIES, capabilities_cut)
        .with(Enforced::FILTER, !lock.filter.is_empty())
}

/// Applies the lock to this single-threaded process.
///
/// # Errors
/// At the first step that fails.
pub fn apply(lock: &SealedLock, place: Place) -> Result<Locked, ApplyError> {
    // 1. Namespaces, while CAP_SYS_ADMIN is still there and Landlock does not yet forbid changing mounts.
    let mount = match (place, &lock.seal.mount) {
        (Place::Root, Some(path)) => {
            if let Some(ipc) = &lock.seal.ipc {
                enter(ipc, CloneFlags::CLONE_NEWIPC)?;
            }
            enter_mount(path)?;
            MountReport::Entered
        }
        (Place::OwnNamespace, _) => MountReport::Entered,
        (Place::Root, None) => MountReport::Absent,
    };
    // 2. Rules are opened in there: the namespace has a /proc and a /dev/shm of its own, and a rule sits on an inode.
    let ruled = if lock.landlock > 0 { Some(ruleset(lock).map_err(ApplyError::Landlock)?) } else { None };
    // 3. Before Landlock and seccomp: both demand it of a process without CAP_SYS_ADMIN.
    prctl::set_no_new_privs().map_err(ApplyError::NoNewPrivs)?;
    // 4. Landlock. Denials after the exec are what an auditor wants to see; before ABI 7 there is no such log.
    let missing = match ruled {
        Some((ruleset, missing)) => {
            ruleset.restrict(if lock.landlock >= 7 { LOG_AFTER_EXEC } else { 0 }).map_err(ApplyError::Landlock)?;
            missing
        }
        None => Vec::new(),
    };
    // 5. The bounding set before the other sets: dropping from it needs CAP_SETPCAP.
    let capabilities_cut = cut(lock.kept)?;
    // Every other step ends here where it fails. What `init` sealed after it had probed the node, each launch gives.
    if !capabilities_cut && !lock.capabilities_stay() {
        return Err(ApplyError::CapabilitiesStay);
    }
    // 6. The filter after everything that it denies.
    if !lock.filter.is_empty() {
        seccomp::install(&lock.filter).map_err(ApplyError::Filter)?;
    }
    // 7. Last: whatever the caller leaked to us does not reach the program.
    close_descriptors()?;
    Ok(Locked {
        report: Report {
            enforced: enforced(lock, mount, capabilities_cut),
            landlock: lock.landlock,
            rules: lock.rules.len() - missing.len(),
            missing,
            mount,
            filter: lock.filter.len(),
        },
    })
}

/// A ruleset with the lock's rules, and the paths that are not there: late mounts are granted through their parent.
fn ruleset(lock: &SealedLock) -> io::Result<(Ruleset, Vec<String>)> {
    // The plan was made for this ABI: a kernel that does not know all of it refuses the ruleset.
    let network = if lock.metadata_closed { CONNECT_TCP } else { 0 };
    let ruleset = Ruleset::create(handled(lock.landlock), network, scopes(lock.landlock))?;
    let mut missing = Vec::new();
    for rule in &lock.rules {
        let rights = rights(rule.grants, lock.landlock) & if rule.file { ON_FILE } else { u64::MAX };
        if !ruleset.allow(&terminated(&rule.path)?, rights, ON_FILE)? {
            missing.push(rule.path.display().to_string());
        }
    }
    ruleset.allow(&terminated(&lock.seal.sibling)?, READ_FILE, ON_FILE)?;
    if lock.metadata_closed {
        allow_other_ports(&ruleset)?;
    }
    Ok((ruleset, missing))
}

fn terminated(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

fn enter(path: &Path, kind: CloneFlags) -> Result<(), ApplyError> {
    let failed = |cause: io::Error| ApplyError::Namespace { path: path.to_owned(), cause };
    let fd: OwnedFd = std::fs::File::open(path).map_err(failed)?.into();
    setns(&fd, kind).map_err(|errno| failed(errno.into()))
}

/// Entering a mount namespace moves the working directory to its root: it is taken along by name.
fn enter_mount(path: &Path) -> Result<(), ApplyError> {
    let here = std::env::current_dir();
    enter(path, CloneFlags::CLONE_NEWNS)?;
    // A working directory that is gone or masked in there: the root is where the kernel left us.
    if let Ok(here) = here {
        let _ = std::env::set_current_dir(here);
    }
    Ok(())
}

/// Cuts, and says whether it is for good.
fn cut(kept: u64) -> Result<bool, ApplyError> {
    let sets = caps::drop_bounding_except(kept).map_err(ApplyError::Capabilities)?;
    caps::set_exactly(kept & sets.permitted).map_err(ApplyError::Capabilities)?;
    Ok(sets.can_be_cut())
}

fn close_descriptors() -> Result<(), ApplyError> {
    match process::close_on_exec_from(3) {
        // Before Linux 5.11: one by one, as /proc lists them.
        Err(error) if matches!(error.raw_os_error(), Some(nix::libc::ENOSYS | nix::libc::EINVAL)) => {
            let listed = std::fs::read_dir("/proc/self/fd").map_err(ApplyError::Descriptors)?;
            let numbers =
                listed.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok()).filter(|number| *number > 2);
            for number in numbers.collect::<Vec<_>>() {
                longhorn_sys::inherited::close_on_exec(number).map_err(ApplyError::Descriptors)?;
            }
            Ok(())
        }
        other => other.map_err(ApplyError::Descriptors),
    }
}
