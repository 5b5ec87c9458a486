//! The locked mount namespace: built once by `init`, pinned by a file, entered by each root of a locked tree.
//!
//! Slave propagation: a mount that the platform makes later appears inside too (facts: private hides it). Nothing that
//! is mounted inside appears outside.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, CpuSet, sched_getaffinity, sched_setaffinity, unshare};
use nix::unistd::{Pid, gettid};

use super::cover::Shown;
use super::plan::Plan;
use crate::host::paths;

/// A mount that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step} {path}")]
pub struct NamespaceError {
    step: &'static str,
    path: PathBuf,
    #[source]
    cause: io::Error,
}

fn at(step: &'static str, path: &Path) -> impl FnOnce(nix::errno::Errno) -> NamespaceError {
    let path = path.to_owned();
    move |errno| NamespaceError { step, path, cause: errno.into() }
}

/// What was built, and what this node did not allow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// Steps that failed without weakening what the strength promises, by name.
    pub without: Vec<String>,
}

const NONE: Option<&str> = None;
/// Longhorn's own trees are read-only inside; its record is out of sight.
const OWN: &[&str] = &["/opt/longhorn", paths::ETC, paths::RUN, "/var/lib/longhorn"];

/// Builds the namespace in a thread of its own and pins it at [`paths::NAMESPACE_MOUNT`] and [`paths::NAMESPACE_IPC`].
/// `shown`: trees that show twice, where what is masked must be masked twice.
///
/// # Errors
/// When a mount that the lock relies on cannot be made.
pub fn build_and_pin(plan: &Plan, shown: &[Shown]) -> Result<Built, NamespaceError> {
    let pins = Path::new(paths::NAMESPACES);
    fs::create_dir_all(pins).map_err(|cause| NamespaceError { step: "make", path: pins.to_owned(), cause })?;
    mount(Some(pins), pins, NONE, MsFlags::MS_BIND, NONE).map_err(at("bind", pins))?;
    mount(NONE, pins, NONE, MsFlags::MS_PRIVATE, NONE).map_err(at("make private", pins))?;
    for path in [paths::NAMESPACE_MOUNT, paths::NAMESPACE_IPC] {
        fs::write(path, b"").map_err(|cause| NamespaceError { step: "make", path: path.into(), cause })?;
    }
    let processors = sched_getaffinity(Pid::from_raw(0)).map_err(at("find processors for", pins))?;
    let usable: Vec<usize> = (0..CpuSet::count()).filter(|one| processors.is_set(*one).unwrap_or(false)).collect();
    let mut last = nix::errno::Errno::EINVAL;
    for attempt in 0..TRIES {
        let processor = usable.get(attempt % usable.len().max(1)).copied();
        match pin_one(plan, shown, processor)? {
            Ok(built) => return Ok(built),
            Err(errno) => last = errno,
        }
    }
    Err(at("pin", Path::new(paths::NAMESPACE_MOUNT))(last))
}

/// The kernel refuses to pin a mount namespace whose id is not higher than that of the namespace it is pinned in. Ids are
/// handed out in batches per processor (Linux 6.18), so a new namespace may have a lower one by chance: made on another
/// processor, or once the batch is used up, it has a higher one.
const TRIES: usize = 256;

/// Makes a namespace on a processor and pins it before anything is built in it. The inner error: the kernel refused the pin.
fn pin_one(plan: &Plan, shown: &[Shown], processor: Option<usize>) -> Result<Result<Built, nix::errno::Errno>, NamespaceError> {
    let pins = Path::new(paths::NAMESPACES);
    // unshare(2) of mount and IPC namespaces is per thread; the thread waits until it is pinned, then builds.
    std::thread::scope(|scope| {
        let (made_send, made) = std::sync::mpsc::channel();
        let (pinned, pinned_receive) = std::sync::mpsc::channel::<()>();
        let thread = scope.spawn(move || {
            let result = on_processor(processor)
                .and_then(|()| unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC))
                .map(|()| gettid());
            // Both ends live in this scope: a closed channel means that the other side gave up.
            let _ = made_send.send(result);
            pinned_receive.recv().ok().map(|()| build(plan, shown))
        });
        let id = made.recv().unwrap_or(Err(nix::errno::Errno::ECHILD)).map_err(at("unshare for", pins))?;
        let pin = |kind: &str, path: &str| {
            mount(Some(format!("/proc/self/task/{id}/ns/{kind}").as_str()), path, NONE, MsFlags::MS_BIND, NONE)
        };
        match pin("mnt", paths::NAMESPACE_MOUNT) {
            Err(nix::errno::Errno::EINVAL) => return Ok(Err(nix::errno::Errno::EINVAL)),
            other => other.map_err(at("pin", Path::new(paths::NAMESPACE_MOUNT)))?,
        }
        pin("ipc", paths::NAMESPACE_IPC).map_err(at("pin", Path::new(paths::NAMESPACE_IPC)))?;
        // The thread waits for exactly this.
        let _ = pinned.send(());
        let built = thread.join().ok().flatten().unwrap_or_else(|| Err(at("build in", pins)(nix::errno::Errno::ECHILD)));
        built.map(Ok)
    })
}

fn on_processor(processor: Option<usize>) -> nix::Result<()> {
    let Some(processor) = processor else { return Ok(()) };
    let mut set = CpuSet::new();
    set.set(processor)?;
    sched_setaffinity(Pid::from_raw(0), &set)
}

/// Whether a process still lives in the pinned mount namespace: a locked tree that outlived what locked it.
pub fn inhabited() -> bool {
    let inode = |path: &Path| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    let Some(pinned) = inode(Path::new(paths::NAMESPACE_MOUNT)) else { return false };
    let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    processes.into_iter().any(|process| inode(&process.path().join("ns/mnt")) == Some(pinned))
}

/// Takes the pins away; what is not there is no error.
pub fn unpin() {
    for path in [paths::NAMESPACE_MOUNT, paths::NAMESPACE_IPC, paths::NAMESPACES] {
        while umount2(path, MntFlags::MNT_DETACH).is_ok() {}
    }
}

/// Makes the mounts in a namespace of its own that the caller just entered.
///
/// # Errors
/// When a mount that the lock relies on cannot be made.
pub fn build(plan: &Plan, shown: &[Shown]) -> Result<Built, NamespaceError> {
    let mut built = Built::default();
    let root = Path::new("/");
    mount(NONE, root, NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE).map_err(at("make slave", root))?;
    for path in plan.protect.iter().map(PathBuf::as_path).chain(OWN.iter().map(Path::new)).filter(|path| path.exists()) {
        protect(path)?;
    }
    hide_run(plan)?;
    for path in plan.mask.iter().map(PathBuf::as_path).chain([Path::new(paths::LOG)]) {
        // First where it shows as well: its own path then still leads to it.
        for place in elsewhere(path, shown) {
            mask(&place)?;
        }
        mask(path)?;
    }
    // Only processes of the own domain are in sight (proc(5), hidepid). Some containers forbid a new proc.
    let hidden = mount(
        Some("proc"),
        "/proc",
        Some("proc"),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC,
        Some("hidepid=ptraceable"),
    );
    if hidden.is_err() {
        built.without.push("process-list".into());
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    if Path::new("/dev/shm").is_dir() && mount(Some("shm"), "/dev/shm", Some("tmpfs"), flags, Some("mode=1777")).is_err() {
        built.without.push("shared-memory".into());
    }
    Ok(built)
}

/// Where else a path shows: rules sit on inodes, and would let it be read there.
fn elsewhere(path: &Path, shown: &[Shown]) -> Vec<PathBuf> {
    let Ok(real) = fs::canonicalize(path) else { return Vec::new() };
    shown.iter().filter_map(|shown| real.strip_prefix(&shown.tree).ok().map(|below| shown.at.join(below))).collect()
}

/// Sockets of deputies lie under `/run`, and come and go: all of it is out of sight but Longhorn's own directory and what
/// the policy grants there.
fn hide_run(plan: &Plan) -> Result<(), NamespaceError> {
    let run = Path::new("/run");
    if !run.is_dir() {
        return Ok(());
    }
    let granted = plan.rules.iter().map(|rule| rule.path.as_path()).filter(|path| path.starts_with(run) && *path != run);
    let kept: Vec<(&Path, fs::File)> = std::iter::once(Path::new(paths::RUN))
        .chain(granted.filter(|path| !path.starts_with(paths::RUN)))
        .filter_map(|path| {
            let flags = nix::libc::O_PATH | nix::libc::O_NOFOLLOW;
            fs::OpenOptions::new().read(true).custom_flags(flags).open(path).ok().map(|file| (path, file))
        })
        .collect();
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("run"), run, Some("tmpfs"), flags, Some("size=64k,mode=755")).map_err(at("hide", run))?;
    for (path, file) in &kept {
        let made = match file.metadata() {
            Ok(meta) if meta.is_dir() => fs::create_dir_all(path),
            _ => fs::create_dir_all(path.parent().unwrap_or(run)).and_then(|()| fs::write(path, b"")),
        };
        made.map_err(|cause| NamespaceError { step: "make", path: path.to_path_buf(), cause })?;
        let from = PathBuf::from(format!("/proc/thread-self/fd/{}", file.as_raw_fd()));
        mount(Some(&from), *path, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE).map_err(at("keep", path))?;
    }
    mount(NONE, run, NONE, MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | flags, NONE)
        .map_err(at("make read-only", run))
}

/// Binds a tree onto itself and makes every mount in it read-only.
fn protect(path: &Path) -> Result<(), NamespaceError> {
    mount(Some(path), path, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE).map_err(at("bind", path))?;
    make_read_only(path)
}

/// Makes every mount at and below a mount point read-only.
///
/// # Errors
/// When one cannot be.
pub(super) fn make_read_only(path: &Path) -> Result<(), NamespaceError> {
    for (point, flags) in mounts_below(path)? {
        let remount = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | flags;
        mount(NONE, &point, NONE, remount, NONE).map_err(at("make read-only", &point))?;
    }
    Ok(())
}

/// Puts nothing in a place: an empty directory that nobody may enter, or a file with nothing in it.
fn mask(path: &Path) -> Result<(), NamespaceError> {
    let Ok(meta) = fs::metadata(path) else { return Ok(()) };
    if meta.is_dir() {
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC | MsFlags::MS_RDONLY;
        mount(Some("masked"), path, Some("tmpfs"), flags, Some("size=4k,mode=000")).map_err(at("mask", path))
    } else {
        mount(Some("/dev/null"), path, NONE, MsFlags::MS_BIND, NONE).map_err(at("mask", path))
    }
}

/// The mount points at and below `path`, with the flags that a remount must keep.
fn mounts_below(path: &Path) -> Result<Vec<(PathBuf, MsFlags)>, NamespaceError> {
    let all = mounts(Path::new("/proc/thread-self/mountinfo"))?.into_iter();
    Ok(all.filter(|mount| mount.point.starts_with(path)).map(|mount| (mount.point, mount.flags)).collect())
}

/// A mount, as the kernel's list has it (proc_pid_mountinfo(5)). Who reads the list asks nothing of any file system: one whose
/// server does not answer keeps nobody waiting.
pub(super) struct Mount {
    /// What of its file system is mounted; a file that was removed since has a last part `deleted`.
    pub(super) root: PathBuf,
    /// Where.
    pub(super) point: PathBuf,
    /// The flags that a remount must keep.
    flags: MsFlags,
}

/// The mounts that a process sees.
pub(super) fn mounts(list: &Path) -> Result<Vec<Mount>, NamespaceError> {
    let text = fs::read_to_string(list).map_err(|cause| NamespaceError { step: "read", path: list.to_owned(), cause })?;
    Ok(text.lines().filter_map(parse_mount).collect())
}

fn parse_mount(line: &str) -> Option<Mount> {
    let mut fields = line.split(' ').skip(3);
    let root = unescape(fields.next()?).into();
    let point = unescape(fields.next()?).into();
    let flags = fields.next()?.split(',').fold(MsFlags::empty(), |flags, word| {
        flags
            | match word {
                "nosuid" => MsFlags::MS_NOSUID,
                "nodev" => MsFlags::MS_NODEV,
                "noexec" => MsFlags::MS_NOEXEC,
                "noatime" => MsFlags::MS_NOATIME,
                "nodiratime" => MsFlags::MS_NODIRATIME,
                "relatime" => MsFlags::MS_RELATIME,
                _ => MsFlags::empty(),
            }
    });
    Some(Mount { root, point, flags })
}

/// The kernel writes space, tab, line feed and backslash as three octal digits.
fn unescape(field: &str) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = tail
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match (first, octal) {
            (b'\\', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    std::ffi::OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_with_a_space_and_its_flags_are_read_as_the_kernel_writes_them() {
        let line = r"36 35 98:0 / /mnt/a\040b rw,nosuid,relatime shared:1 - ext3 /dev/root rw";
        let Mount { root, point, flags } = parse_mount(line).unwrap();
        assert_eq!((root, point), (PathBuf::from("/"), PathBuf::from("/mnt/a b")));
        assert_eq!(flags, MsFlags::MS_NOSUID | MsFlags::MS_RELATIME);
        assert!(parse_mount("36 35").is_none());
    }
}
