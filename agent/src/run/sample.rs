//! The sampler, on nodes that observe: now and then it looks at what the processes of covered trees run, stand in, have open and
//! have mapped, and tells the sidecar the directories. What lies between two looks it does not see.
//!
//! It keeps the two capabilities that reading other processes' `/proc` entries needs, under an id that owns nothing. A
//! Landlock domain would take just that away: a process in one may not look at any outside (decision 0016).

mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use longhorn_sys::caps;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

use self::tree::{Process, Tree};
use crate::cli::args::SampleArgs;
use crate::decision::access::{Kind, Need, rule_for};
use crate::exit::Exit;
use crate::host::paths;
use crate::lock::TargetKind;
use crate::lock::sealed::SealedLock;
use crate::wire::packet;
use crate::wire::samples::{LONGEST, MOST, Samples};

/// Between two looks, in milliseconds.
const INTERVAL: u16 = 500;
/// Pairs that are kept in all; a job that uses more is beyond what anybody reviews.
const MOST_PAIRS: usize = 512;
/// Descriptors of one process that are looked at.
const MOST_OPEN: usize = 1024;
/// `nobody`: owns nothing, and nothing is owned by it.
const NOBODY: u32 = 65_534;
/// CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE (linux/capability.h): to list other users' descriptors, and to read what they are.
const KEPT: u64 = 1 << 2 | 1 << 19;
/// Longhorn's own, which no rule names.
const OWN: &[&str] = &[paths::RUN, paths::ETC, "/opt/longhorn", "/var/lib/longhorn"];

/// Samples until keeper and sidecar are gone.
pub fn run(args: &SampleArgs) -> Exit {
    match become_sampler(args) {
        Ok(()) => Exit::Ok,
        // The sidecar sees it end, and says so.
        Err(_) => Exit::Os,
    }
}

fn become_sampler(args: &SampleArgs) -> io::Result<()> {
    let socket = longhorn_sys::inherited::take(args.samples)?;
    irrevocably_descend()?;
    let Some(roots) = roots(&socket)? else { return Ok(()) };
    let mut tree = Tree::default();
    let mut seen = Seen::default();
    loop {
        for pid in tree.grow(&living(&roots)) {
            accesses(pid).into_iter().for_each(|(path, kind, need)| seen.note(&path, kind, need));
        }
        while let Some(samples) = seen.next() {
            packet::put(&socket, &samples.encode())?;
        }
        if gone(&socket)? {
            return Ok(());
        }
    }
}

/// The order is the sidecar's (`serve::descend`), but for the capabilities, which are kept over the change of ids.
fn irrevocably_descend() -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    let _ = caps::drop_bounding_except(KEPT)?;
    prctl::set_keepcaps(true)?;
    let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    setgroups(&[])?;
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    caps::set_exactly(KEPT)?;
    // Asked for once more: a change of ids takes it away (prctl(2), PR_SET_PDEATHSIG).
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    prctl::set_dumpable(false)?;
    prctl::set_no_new_privs()?;
    longhorn_sys::seccomp::install(&crate::lock::seccomp::for_sidecar())
}

/// The covered programs that start trees, by inode, once the lock is sealed; `None` when nobody waits for them any more.
fn roots(socket: &OwnedFd) -> io::Result<Option<BTreeSet<(u64, u64)>>> {
    loop {
        if let Ok(lock) = SealedLock::open(Path::new(paths::LOCK)) {
            let roots = lock.seal.targets.iter().filter(|target| target.kind == TargetKind::Root);
            return Ok(Some(roots.filter_map(|target| inode(&target.real)).collect()));
        }
        if gone(socket)? {
            return Ok(None);
        }
    }
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

/// Waits for one interval, or until nobody listens.
fn gone(socket: &OwnedFd) -> io::Result<bool> {
    let mut asked = [PollFd::new(socket.as_fd(), PollFlags::empty())];
    match poll(&mut asked, PollTimeout::from(INTERVAL)) {
        Ok(ready) => Ok(ready > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn living(roots: &BTreeSet<(u64, u64)>) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    // What ended meanwhile is not there.
    let process = |path: PathBuf| {
        path.file_name()?.to_str()?.parse::<i32>().ok()?;
        let stat = fs::read(path.join("stat")).ok()?;
        let root = inode(&path.join("exe")).is_some_and(|exe| roots.contains(&exe));
        Process::parse(&String::from_utf8_lossy(&stat), root)
    };
    entries.filter_map(process).collect()
}

/// What one process runs, stands in, has open and has mapped.
fn accesses(pid: i32) -> Vec<(PathBuf, Kind, Need)> {
    let own = PathBuf::from(format!("/proc/{pid}"));
    let mut found = Vec::new();
    found.extend(fs::read_link(own.join("exe")).ok().map(|path| (path, Kind::File, Need::Execute)));
    found.extend(fs::read_link(own.join("cwd")).ok().map(|path| (path, Kind::Directory, Need::Stand)));
    let open = fs::read_dir(own.join("fd")).into_iter().flatten().filter_map(Result::ok).take(MOST_OPEN);
    found.extend(open.filter_map(|entry| {
        let path = fs::read_link(entry.path()).ok()?;
        // The link's own mode says how the file was opened (proc_pid_fd(5)).
        let need = if fs::symlink_metadata(entry.path()).ok()?.mode() & 0o200 != 0 { Need::Write } else { Need::Read };
        let directory = fs::metadata(entry.path()).is_ok_and(|meta| meta.is_dir());
        Some((path, if directory { Kind::Directory } else { Kind::File }, need))
    }));
    let maps = fs::read(own.join("maps")).unwrap_or_default();
    let maps = String::from_utf8_lossy(&maps);
    // Address, access, offset, device, inode, then the path to the end of the line (proc_pid_maps(5)).
    let path =
        |line: &str| Some(PathBuf::from(&line[line.find('/').filter(|at| line[..*at].split_whitespace().count() == 5)?..]));
    found.extend(maps.lines().filter_map(path).map(|path| (path, Kind::File, Need::Read)));
    found
}

/// What was seen, and how much of it is told.
#[derive(Default)]
struct Seen {
    pairs: BTreeSet<(Need, PathBuf)>,
    told: Vec<(String, String)>,
    full: bool,
    full_told: bool,
}

impl Seen {
    fn note(&mut self, path: &Path, kind: Kind, need: Need) {
        let plain = path.to_str().is_some_and(|text| !text.ends_with(" (deleted)") && !text.chars().any(char::is_control));
        if !plain || OWN.iter().any(|own| path.starts_with(own)) {
            return;
        }
        let Some(rule) = rule_for(path, kind) else { return };
        let pair = (need, rule);
        if self.pairs.contains(&pair) {
            return;
        }
        let text = pair.1.display().to_string();
        if self.pairs.len() >= MOST_PAIRS || text.len() > LONGEST {
            self.full = true;
            return;
        }
        self.told.push((need.word().to_owned(), text));
        self.pairs.insert(pair);
    }

    /// The next packet, while there is anything new to tell.
    fn next(&mut self) -> Option<Samples> {
        let news = self.full && !self.full_told;
        if self.told.is_empty() && !news {
            return None;
        }
        self.full_told = self.full;
        let seen = self.told.drain(..self.told.len().min(MOST)).collect();
        Some(Samples { seen, full: self.full })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::samples::NEEDS;

    #[test]
    fn the_words_of_needs_are_those_of_the_wire() {
        assert_eq!(Need::ALL.map(Need::word), NEEDS);
    }

    #[test]
    fn each_directory_is_told_once_for_each_need_and_never_more_than_fit() {
        let mut seen = Seen::default();
        for name in ["/usr/lib/a.so", "/usr/lib/b.so", "/run/longhorn/lock", "/tmp/x (deleted)", "pipe:[1]"] {
            seen.note(Path::new(name), Kind::File, Need::Read);
        }
        assert_eq!(seen.next(), Some(Samples { seen: vec![("read".into(), "/usr".into())], full: false }));
        assert_eq!(seen.next(), None);
        for at in 0..2 * MOST_PAIRS {
            seen.note(Path::new(&format!("/srv/{at}/x")), Kind::File, Need::Write);
        }
        let packets: Vec<Samples> = std::iter::from_fn(|| seen.next()).collect();
        let told: usize = packets.iter().map(|packet| packet.seen.len()).sum();
        assert!(packets.iter().all(|packet| Samples::decode(&packet.encode()).as_ref() == Some(packet)));
        assert!(told == MOST_PAIRS - 1 && packets.iter().all(|packet| packet.full) && seen.next().is_none());
    }

    #[test]
    fn this_process_is_seen_with_what_it_runs_has_open_and_has_mapped() {
        let open = fs::File::open("/etc/passwd").unwrap();
        let pid = i32::try_from(std::process::id()).unwrap();
        let found = accesses(pid);
        let has = |path: &Path, need: Need| found.iter().any(|(found, _, of)| found == path && *of == need);
        let program = std::env::current_exe().unwrap();
        assert!(has(Path::new("/etc/passwd"), Need::Read) && has(&program, Need::Execute) && has(&program, Need::Read));
        assert!(has(&std::env::current_dir().unwrap(), Need::Stand));
        drop(open);
        let here = living(&inode(&program).into_iter().collect());
        assert!(here.iter().any(|process| process.pid == pid && process.root), "{here:?}");
    }
}
