//! Who is on the other side of a socket: credentials and a pidfd from the kernel, then what `/proc` says of that very
//! process, checked again afterwards so that a recycled process id is noticed.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use nix::fcntl::AtFlags;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt};
use nix::sys::stat::fstatat;

use crate::wire::holder::Holder;

/// What the kernel says of a peer.
#[derive(Debug)]
pub struct Peer {
    /// Its process id in our pid namespace.
    pub pid: i32,
    /// Its effective user id when it connected.
    pub uid: u32,
    /// What `/proc/<pid>/status` says of its lock.
    pub marks: LockMarks,
    process: Process,
}

/// Holds on to one process: whoever has its id later is another one here.
#[derive(Debug)]
struct Process {
    /// SO_PEERPIDFD (Linux 6.5): the very process that connected.
    pidfd: Option<OwnedFd>,
    /// Its directory in `/proc`, opened once: it reads as gone once that process is, whoever has the id by then.
    directory: File,
}

/// The marks of a lock that another process can see. A Landlock domain is not among them: nothing shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockMarks {
    /// `NoNewPrivs`.
    pub no_new_privs: bool,
    /// `Seccomp: 2`.
    pub filtered: bool,
    /// `CapBnd`.
    pub bounding: u64,
}

/// Why a peer cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The kernel names no peer.
    #[error("the kernel names no peer")]
    Credentials(#[source] nix::errno::Errno),
    /// The peer went away while it was looked at.
    #[error("the peer went away")]
    Gone,
    /// `/proc` does not show it.
    #[error("cannot read the peer's status")]
    Status(#[source] std::io::Error),
}

impl LockMarks {
    /// Whether a process with these marks is under a lock that keeps at most `kept` capabilities.
    pub fn locked(&self, kept: u64) -> bool {
        self.no_new_privs && self.filtered && self.bounding & !kept == 0
    }

    /// From the text of `/proc/<pid>/status` (proc_pid_status(5)). What is missing counts as not locked.
    pub fn parse(status: &str) -> Self {
        let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        Self {
            no_new_privs: value("NoNewPrivs:") == Some("1"),
            filtered: value("Seccomp:") == Some("2"),
            bounding: value("CapBnd:").and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(u64::MAX),
        }
    }
}

/// Looks at the peer of a connected Unix socket.
///
/// # Errors
/// When it cannot be told for certain.
pub fn examine(socket: &impl AsFd) -> Result<Peer, PeerError> {
    let credentials = getsockopt(socket, sockopt::PeerCredentials).map_err(PeerError::Credentials)?;
    let pidfd = getsockopt(socket, sockopt::PeerPidfd).ok();
    look(credentials.pid(), credentials.uid(), pidfd)
}

/// Looks at a process that somebody named.
///
/// # Errors
/// When it is gone, or another one has its id by now.
pub fn of_process(holder: &Holder) -> Result<Peer, PeerError> {
    let directory = directory(holder.pid)?;
    if started(&directory).map_err(unseen)? != holder.started {
        return Err(PeerError::Gone);
    }
    let uid = directory.metadata().map_err(unseen)?.uid();
    let process = Process { pidfd: None, directory };
    Ok(Peer { pid: holder.pid, uid, marks: process.marks()?, process })
}

/// When the process of an open directory of `/proc` started, in clock ticks since boot (proc_pid_stat(5), field 22).
///
/// # Errors
/// When it is gone.
pub fn started(directory: &File) -> std::io::Result<u64> {
    let mut stat = Vec::new();
    File::open(format!("/proc/self/fd/{}/stat", directory.as_raw_fd()))?.read_to_end(&mut stat)?;
    // The name, in brackets, may hold anything: what follows its end does not.
    let text = String::from_utf8_lossy(&stat);
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_ascii_whitespace().nth(19).and_then(|field| field.parse().ok()).ok_or(std::io::ErrorKind::InvalidData.into())
}

fn look(pid: i32, uid: u32, pidfd: Option<OwnedFd>) -> Result<Peer, PeerError> {
    let process = Process { pidfd, directory: directory(pid)? };
    let marks = process.marks()?;
    // After the look: what was read is this process's only if nobody else can have had its id yet.
    if process.lives() { Ok(Peer { pid, uid, marks, process }) } else { Err(PeerError::Gone) }
}

impl Peer {
    /// Whether the process that was looked at is still there. Asked once an answer is made and before a byte of it is given.
    pub fn still_there(&self) -> bool {
        self.process.lives()
    }
}

impl Process {
    fn marks(&self) -> Result<LockMarks, PeerError> {
        let mut status = String::new();
        let path = format!("/proc/self/fd/{}/status", self.directory.as_raw_fd());
        File::open(path).and_then(|mut file| file.read_to_string(&mut status)).map_err(unseen)?;
        Ok(LockMarks::parse(&status))
    }

    fn lives(&self) -> bool {
        match &self.pidfd {
            Some(pidfd) => !exited(pidfd.as_fd()),
            // The directory of a process that is gone has no entries any more; a look at one costs less than reading it.
            None => fstatat(&self.directory, "status", AtFlags::AT_SYMLINK_NOFOLLOW).is_ok(),
        }
    }
}

fn unseen(error: std::io::Error) -> PeerError {
    match error.raw_os_error() {
        Some(nix::libc::ENOENT | nix::libc::ESRCH) => PeerError::Gone,
        _ => PeerError::Status(error),
    }
}

/// The lock marks of a process by its id.
///
/// # Errors
/// When it is gone or `/proc` hides it.
pub fn marks_of(pid: i32) -> Result<LockMarks, PeerError> {
    Process { pidfd: None, directory: directory(pid)? }.marks()
}

fn directory(pid: i32) -> Result<File, PeerError> {
    File::open(format!("/proc/{pid}")).map_err(unseen)
}

fn exited(pidfd: BorrowedFd<'_>) -> bool {
    !matches!(poll(&mut [PollFd::new(pidfd, PollFlags::POLLIN)], PollTimeout::ZERO), Ok(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_counts_as_locked_only_with_every_mark() {
        let status = |nnp, seccomp, bounding| format!("Name:\tx\nNoNewPrivs:\t{nnp}\nSeccomp:\t{seccomp}\nCapBnd:\t{bounding}\n");
        assert!(LockMarks::parse(&status(1, 2, "0000000000000000")).locked(0));
        assert!(LockMarks::parse(&status(1, 2, "0000000000000020")).locked(0x20));
        for text in [
            status(0, 2, "0000000000000000"),
            status(1, 0, "0000000000000000"),
            status(1, 1, "0000000000000000"),
            status(1, 2, "0000000000000001"),
            String::new(),
        ] {
            assert!(!LockMarks::parse(&text).locked(0x20), "{text}");
        }
    }

    #[test]
    fn the_peer_of_a_socket_pair_is_this_very_process_and_not_locked() {
        let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let peer = examine(&ours).unwrap();
        assert_eq!(u32::try_from(peer.pid).unwrap(), std::process::id());
        assert!(!peer.marks.locked(0));
    }

    #[test]
    fn a_peer_that_ended_is_noticed_where_the_kernel_gives_no_pidfd_too() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let peer = look(i32::try_from(child.id()).unwrap(), 0, None).unwrap();
        assert!(peer.still_there());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!peer.still_there());
    }
}
