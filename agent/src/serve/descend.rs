//! The sidecar's descent: from root with every capability to its own uid with none, locked, before its first thread and
//! before its first foreign byte. The order matters; each step says why it stands where it does.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use longhorn_sys::caps;
use longhorn_sys::landlock::{
    self, MAKE_DIR, MAKE_REG, ON_FILE, READ_DIR, READ_FILE, Ruleset, TRUNCATE, WRITE_FILE, handled, scopes,
};
use nix::sys::prctl;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

use crate::host::paths;

/// A step of the descent that failed. The sidecar ends: it never runs half-way down.
#[derive(Debug, thiserror::Error)]
pub enum DescendError {
    /// prctl(PR_SET_DUMPABLE).
    #[error("cannot become non-dumpable")]
    Dumpable(#[source] nix::errno::Errno),
    /// The capability bounding set.
    #[error("cannot cut the capability bounding set")]
    Bounding(#[source] io::Error),
    /// Supplementary groups, gid, uid.
    #[error("cannot take the sidecar's own uid and gid")]
    Identity(#[source] nix::errno::Errno),
    /// Still able to come back.
    #[error("root could be taken again after it was dropped")]
    NotDropped,
    /// prctl(PR_SET_NO_NEW_PRIVS).
    #[error("cannot set no_new_privs")]
    NoNewPrivs(#[source] nix::errno::Errno),
    /// Landlock.
    #[error("cannot restrict its own file access")]
    Landlock(#[source] io::Error),
    /// The system call filter.
    #[error("cannot install its system call filter")]
    Filter(#[source] io::Error),
}

/// What the sidecar may still reach afterwards.
#[derive(Debug)]
pub struct Reach {
    /// Its uid and gid; the gid grants nothing.
    pub uid: u32,
    /// May be read besides the system's name resolution and certificates.
    pub read: Vec<PathBuf>,
}

/// Reads: names, certificates, what `/proc` says of peers, its own settings, the lease and the lock.
const READ: &[&str] = &[
    "/etc",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/lib/ssl",
    "/proc",
    "/sys/fs/cgroup",
    "/run/systemd",
    "/run/resolvconf",
    "/dev/urandom",
    paths::RUN,
];

/// Where the record lies it makes and writes segments, and never renames or removes one.
const RECORD: u64 = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | MAKE_REG | MAKE_DIR;
/// The newest Landlock ABI whose rights the sidecar was thought through for.
const NEWEST: u32 = 6;

/// Descends irrevocably. Call it on the only thread.
///
/// # Errors
/// At the first step that fails; the caller must exit.
pub fn irrevocably_descend(reach: &Reach, filter: &[longhorn_sys::seccomp::Instruction]) -> Result<(), DescendError> {
    // Every launch wakes the sidecar, which must not run in the launcher's place. Where it is refused it only costs time.
    let _ = longhorn_sys::process::never_preempt();
    // First: from here on neither a core dump nor a process of the same uid shows our memory.
    prctl::set_dumpable(false).map_err(DescendError::Dumpable)?;
    // While CAP_SETPCAP is still there: nothing that this process executes can gain a capability. A node without it is
    // below the usual floor; there no_new_privs alone keeps them away.
    caps::drop_bounding_except(0).map_err(DescendError::Bounding)?;
    // Groups before gid before uid: each needs what the next one gives up. Leaving uid 0 empties the capability sets
    // (capabilities(7), "Effect of user ID changes").
    let (uid, gid) = (Uid::from_raw(reach.uid), Gid::from_raw(reach.uid));
    setgroups(&[]).map_err(DescendError::Identity)?;
    setresgid(gid, gid, gid).map_err(DescendError::Identity)?;
    setresuid(uid, uid, uid).map_err(DescendError::Identity)?;
    if setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_ok() {
        return Err(DescendError::NotDropped);
    }
    // A change of uid makes the process dumpable by the new one again (proc(5), /proc/sys/fs/suid_dumpable).
    prctl::set_dumpable(false).map_err(DescendError::Dumpable)?;
    // Landlock and seccomp without CAP_SYS_ADMIN need it.
    prctl::set_no_new_privs().map_err(DescendError::NoNewPrivs)?;
    restrict(&reach.read).map_err(DescendError::Landlock)?;
    // Last: the filter would deny the steps above.
    longhorn_sys::seccomp::install(filter).map_err(DescendError::Filter)
}

/// Files by Landlock where the kernel has it. Without it the sidecar still has its own uid and no capability: the node's
/// floor, not this function, decides whether such a kernel may run jobs.
fn restrict(also: &[PathBuf]) -> io::Result<()> {
    let abi = landlock::abi().unwrap_or(0).min(NEWEST);
    if abi == 0 {
        return Ok(());
    }
    let ruleset = Ruleset::create(handled(abi), 0, scopes(abi))?;
    let allow = |path: &Path, rights: u64| -> io::Result<()> {
        // What is not there needs no rule.
        ruleset.allow(&CString::new(path.as_os_str().as_bytes())?, rights & handled(abi), ON_FILE).map(drop)
    };
    let readable = READ.iter().map(Path::new).chain(also.iter().map(PathBuf::as_path));
    for path in readable {
        allow(path, READ_FILE | READ_DIR)?;
    }
    allow(Path::new(paths::LOG), RECORD)?;
    ruleset.restrict(0)
}
