//! What `init` does as root on the node, before and around the verdict: places, files, the keeper, and the way back.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, fcntl};

use crate::exit::Exit;
use crate::host::clock::{BootTime, Clock};
use crate::host::digest::sha256_hex;
use crate::host::paths;
use crate::run::scope::Scope;
use crate::screen::Screen;
use crate::serve::publish::place;
use crate::wire::packet;

const SELF: &str = "/proc/self/exe";

/// A step that the node refused.
#[derive(Debug, thiserror::Error)]
#[error("{step} {path}")]
pub struct NodeError {
    step: &'static str,
    path: PathBuf,
    #[source]
    cause: io::Error,
}

impl NodeError {
    fn at(step: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self { step, path, cause }
    }

    /// What a person reads.
    pub fn screen(&self) -> Screen {
        Screen::failed("node-step-failed", Exit::Os, self.headline()).met(&self.cause)
    }

    /// The same of [`read_secret`].
    pub fn screen_of_secret(&self) -> Screen {
        Screen::failed("secret-unreadable", Exit::NoInput, self.headline())
            .fact("expected", "a file of at most 64 KiB that root alone may read: owner 0, mode 0600")
            .fact("presented", &self.cause)
            .hint("the settings name this file; write the secret there again, as root")
    }

    fn headline(&self) -> String {
        format!("this node does not let Longhorn {} {}", self.step, self.path.display())
    }
}

/// Only one `init` at a time; the second waits for the first.
///
/// # Errors
/// When `/run` cannot be written.
pub fn alone() -> Result<Flock<File>, NodeError> {
    let path = Path::new("/run/longhorn.init");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(NodeError::at("open", path))?;
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| NodeError::at("lock", path)(errno.into()))
}

/// Makes the directories, in the order in which they depend on one another.
///
/// # Errors
/// When one cannot be made with exactly its owner and mode.
pub fn make_places(sidecar: u32) -> Result<(), NodeError> {
    for (path, mode) in [
        (paths::ETC, 0o755),
        (paths::RUN, 0o755),
        (paths::SOCKETS, 0o755),
        (paths::CANARIES, 0o711),
        ("/var/lib/longhorn", 0o755),
        (paths::LOG, 0o700),
    ] {
        directory(Path::new(path), mode)?;
    }
    std::os::unix::fs::chown(paths::LOG, Some(sidecar), Some(sidecar)).map_err(NodeError::at("give away", paths::LOG))
}

fn directory(path: &Path, mode: u32) -> Result<(), NodeError> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(path).map_err(NodeError::at("make", path))?;
    let made = fs::symlink_metadata(path).map_err(NodeError::at("look at", path))?;
    if !made.is_dir() {
        return Err(NodeError::at("make", path)(io::ErrorKind::NotADirectory.into()));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(NodeError::at("set the mode of", path))
}

/// The binary that runs.
pub struct Own {
    bytes: Vec<u8>,
    /// SHA-256 over it, hex.
    pub digest: String,
}

/// Reads the binary that runs.
///
/// # Errors
/// When it cannot be read.
pub fn own() -> Result<Own, NodeError> {
    let bytes = fs::read(SELF).map_err(NodeError::at("read", SELF))?;
    Ok(Own { digest: sha256_hex(&bytes), bytes })
}

/// Puts it where launchers and the keeper start it from, unless it is that very file.
///
/// # Errors
/// When it cannot be written.
pub fn place_binary(own: &Own) -> Result<(), NodeError> {
    let target = Path::new(paths::BINARY);
    let same = match (fs::metadata(SELF), fs::metadata(target)) {
        (Ok(own), Ok(placed)) => own.dev() == placed.dev() && own.ino() == placed.ino(),
        _ => false,
    };
    if same {
        return Ok(());
    }
    directory(target.parent().unwrap_or(Path::new("/")), 0o755)?;
    place(target, &own.bytes).map_err(NodeError::at("write", target))?;
    fs::set_permissions(target, fs::Permissions::from_mode(0o555)).map_err(NodeError::at("set the mode of", target))
}

/// Writes settings, policy and signature as they were verified.
///
/// # Errors
/// When one cannot be written.
pub fn place_verified(files: &[(&str, &[u8])]) -> Result<(), NodeError> {
    for (path, bytes) in files {
        place(Path::new(path), bytes).map_err(NodeError::at("write", *path))?;
    }
    Ok(())
}

/// Reads a secret file: at most 64 KiB, one trailing line end taken off, readable by root alone.
///
/// # Errors
/// When it is missing, too long, or others may read it.
pub fn read_secret(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, NodeError> {
    let failed = |cause| NodeError::at("use the secret", path)(cause);
    let presented = |what: String| Err(failed(io::Error::other(what)));
    // Not waiting: a FIFO that nobody writes to must not hang the start of a cluster. Opened first, then inspected.
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path).map_err(&failed)?;
    let meta = file.metadata().map_err(&failed)?;
    if !meta.is_file() {
        return presented("not a regular file".to_owned());
    }
    if meta.mode() & 0o077 != 0 {
        return presented(format!("mode {:04o}", meta.mode() & 0o7777));
    }
    if meta.uid() != 0 {
        return presented(format!("owner {}", meta.uid()));
    }
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0).min(65_536) + 1));
    file.take(65_537).read_to_end(&mut bytes).map_err(&failed)?;
    if bytes.len() > 65_536 {
        return presented("more than 64 KiB".to_owned());
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

/// The keeper as `init` sees it.
#[derive(Debug)]
pub struct Keeper {
    /// To the keeper.
    pub control: OwnedFd,
    /// To the first sidecar.
    pub verdict: OwnedFd,
    /// By when there must be a verdict.
    pub until: BootTime,
    /// The process, for an `init` that gives it up before it said anything.
    pub process: Child,
}

/// What a keeper is started with.
pub struct Starting<'a> {
    /// In a memory file.
    pub credentials: &'a OwnedFd,
    /// The sidecar's.
    pub uid: u32,
    /// The longest lease.
    pub lease_most: Duration,
    /// The platform's `DB_*` variables.
    pub hints: &'a [(String, String)],
    /// By when there must be a verdict.
    pub until: BootTime,
    /// Whether the node only observes.
    pub observe: bool,
    /// The gateway's port; absent where there is none.
    pub registry_port: Option<u16>,
}

/// Starts the keeper, through `scope` where one is named. It leaves `init`'s session and inherits two sockets, the credentials
/// and the `DB_*` hints.
///
/// # Errors
/// When it cannot be started.
pub fn start_keeper(starting: &Starting<'_>, scope: Option<&Scope>) -> Result<Keeper, NodeError> {
    let failed = || NodeError::at("start", paths::BINARY);
    let (control, control_theirs) = packet::pair().map_err(failed())?;
    let (verdict, verdict_theirs) = packet::pair().map_err(failed())?;
    let mut command = scope.map_or_else(|| Command::new(paths::BINARY), Scope::command);
    command.arg("keeper").env_clear().envs(starting.hints.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    // Open across exec: `init` is single-threaded and starts nothing else before these are closed again.
    for (name, fd) in [("--control", &control_theirs), ("--verdict", &verdict_theirs), ("--credentials", starting.credentials)] {
        fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty())).map_err(|errno| failed()(errno.into()))?;
        command.arg(name).arg(fd.as_raw_fd().to_string());
    }
    command.arg("--uid").arg(starting.uid.to_string()).arg("--lease-most").arg(starting.lease_most.as_secs().to_string());
    command.args(starting.observe.then_some("--observe"));
    if let Some(port) = starting.registry_port {
        command.arg("--registry-port").arg(port.to_string());
    }
    let process = command.spawn().map_err(failed())?;
    fcntl(starting.credentials, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(|errno| failed()(errno.into()))?;
    Ok(Keeper { control, verdict, until: starting.until, process })
}

/// Whether a keeper lives here.
pub fn keeper_lives() -> bool {
    keeper().is_some()
}

/// The process that holds the write lock on the keeper's file, as the kernel names it (fcntl(2), F_GETLK). Only who may write
/// the file can hold it: nobody who merely reads it poses as a keeper.
fn keeper() -> Option<nix::unistd::Pid> {
    let file = File::open(paths::KEEPER).ok()?;
    let mut lock = longhorn_sys::process::whole_file_lock(nix::libc::F_RDLCK);
    fcntl(&file, FcntlArg::F_GETLK(&mut lock)).ok()?;
    (i32::from(lock.l_type) != nix::libc::F_UNLCK).then(|| nix::unistd::Pid::from_raw(lock.l_pid))
}

/// Ends a keeper that lives here and waits until it is gone.
///
/// # Errors
/// When it does not go.
pub fn end_keeper(clock: &dyn Clock, within: Duration) -> Result<(), NodeError> {
    let until = clock.boot().plus(within);
    let mut asked = false;
    while let Some(pid) = keeper() {
        let late = clock.boot() >= until;
        if pid.as_raw() > 1 && (!asked || late) {
            let signal = if late { nix::sys::signal::Signal::SIGKILL } else { nix::sys::signal::Signal::SIGTERM };
            // The lock showed that this very process lives; it can only be gone by now.
            let _ = nix::sys::signal::kill(pid, signal);
            asked = true;
        }
        if clock.boot() >= until.plus(Duration::from_secs(2)) {
            return Err(NodeError::at("end the keeper of", paths::KEEPER)(io::ErrorKind::TimedOut.into()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Removes every file below a directory; the directories stay.
///
/// # Errors
/// When something is still in use.
pub fn empty(directory: &Path) -> Result<(), NodeError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(NodeError::at("list", directory))?,
    };
    for entry in entries {
        let entry = entry.map_err(NodeError::at("list", directory))?;
        let path = entry.path();
        match entry.file_type().map_err(NodeError::at("look at", &path))? {
            kind if kind.is_dir() => empty(&path)?,
            _ => fs::remove_file(&path).map_err(NodeError::at("remove", &path))?,
        }
    }
    Ok(())
}

/// The platform's `DB_*` variables, as hints: names from the closed list, values of bounded length.
pub fn hints(names: &[&str]) -> Vec<(String, String)> {
    let value = |name: &&str| std::env::var(OsStr::new(name)).ok().filter(|value| value.len() <= 512);
    names.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?))).collect()
}

/// The kernel's boot id, as text.
///
/// # Errors
/// When `/proc` does not show it.
pub fn boot_id() -> Result<String, NodeError> {
    let path = "/proc/sys/kernel/random/boot_id";
    fs::read_to_string(path).map(|text| text.trim().to_owned()).map_err(NodeError::at("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only root can own files as root does.
    fn outcome(path: &Path) -> String {
        read_secret(path).map_or_else(|error| error.cause.to_string(), |secret| format!("read {} bytes", secret.len()))
    }

    #[test]
    #[expect(clippy::print_stdout, reason = "a named skip is what the run reports")]
    fn a_secret_is_a_small_file_that_root_alone_may_read() {
        if !nix::unistd::geteuid().is_root() {
            println!("SKIP owners of secrets: needs root");
            return;
        }
        let directory = std::env::temp_dir().join(format!("longhorn-secret-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("secret");
        let write = |bytes: &[u8], mode: u32, owner: u32| {
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            std::os::unix::fs::chown(&path, Some(owner), None).unwrap();
            outcome(&path)
        };
        assert_eq!(write(b"s3cret\n", 0o600, 0), "read 6 bytes");
        assert_eq!(write(b"s3cret\n", 0o400, 0), "read 6 bytes");
        assert_eq!(write(&[b'x'; 65_536], 0o600, 0), "read 65536 bytes");
        assert_eq!(write(&[b'x'; 65_537], 0o600, 0), "more than 64 KiB");
        assert_eq!(write(b"s3cret", 0o640, 0), "mode 0640");
        assert_eq!(write(b"s3cret", 0o604, 0), "mode 0604");
        assert_eq!(write(b"s3cret", 0o600, 1), "owner 1");
        assert_eq!(outcome(&directory.join("absent")), "No such file or directory (os error 2)");
        assert_eq!(outcome(&directory), "not a regular file");
        let fifo = directory.join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert_eq!(outcome(&fifo), "not a regular file", "it is not waited for");
        fs::remove_dir_all(&directory).unwrap();
    }
}
