//! `longhorn try --observe`: the command runs without a lock, traced, and at its end stands what the lock would have denied.
//!
//! The tracer sees what succeeded: opens, changes of directories, executions, by every process of the tree. It does not see
//! what the kernel itself opens (the loader of a program), nor what a system call filter or a missing capability would deny.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use longhorn_sys::trace::{At, at};
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::decision::access::Need;
use crate::exit::Exit;
use crate::lock::Plan;
use crate::screen::Screen;

/// What was seen.
#[derive(Debug, Default)]
pub struct Observed {
    /// What the lock would have denied, and how often it was done.
    pub denied: BTreeMap<(PathBuf, Need), u64>,
    /// Programs that made calls in a numbering that is not read here.
    pub not_traced: BTreeSet<PathBuf>,
    /// The command's own exit code; 128 and the signal's number where one ended it.
    pub code: u8,
}

/// The traced side: stops until the tracer is ready, then becomes the command. Returns only when it could not.
pub fn become_traced(program: &Path, arguments: &[OsString]) -> Screen {
    let stopped = ptrace::traceme().and_then(|()| raise(Signal::SIGSTOP));
    let error = match stopped {
        Ok(()) => Command::new(program).arg0(&arguments[0]).args(&arguments[1..]).exec(),
        Err(errno) => errno.into(),
    };
    Screen::failed("cannot-execute", Exit::CannotExecute, format!("cannot execute {}", program.display())).met(error)
}

/// Runs a command of ours that calls [`become_traced`], and watches it and all that it starts until the last has ended.
///
/// # Errors
/// When this machine does not permit tracing.
pub fn watch(command: &mut Command, plan: &Plan) -> io::Result<Observed> {
    let child = command.spawn()?;
    let main = Pid::from_raw(child.id().cast_signed());
    let mut observed = Observed::default();
    let rules = Allowed::of(plan);
    let mut inside: HashMap<Pid, Vec<(PathBuf, Need)>> = HashMap::new();
    let mut set = false;
    loop {
        let (pid, signal) = match waitpid(None, Some(WaitPidFlag::__WALL)) {
            Err(nix::errno::Errno::ECHILD) => return Ok(observed),
            Err(nix::errno::Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
            Ok(WaitStatus::Exited(pid, code)) => {
                if pid == main {
                    observed.code = u8::try_from(code & 255).unwrap_or(u8::MAX);
                }
                inside.remove(&pid);
                continue;
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) => {
                if pid == main {
                    observed.code = 128u8.saturating_add(u8::try_from(signal as i32).unwrap_or(0));
                }
                inside.remove(&pid);
                continue;
            }
            Ok(WaitStatus::PtraceSyscall(pid)) => {
                step(pid, &mut inside, &rules, &mut observed);
                (pid, None)
            }
            Ok(WaitStatus::Stopped(pid, Signal::SIGSTOP)) if pid == main && !set => {
                let follow = Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK | Options::PTRACE_O_TRACECLONE;
                let more = Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL;
                ptrace::setoptions(pid, follow | more)?;
                set = true;
                (pid, None)
            }
            // A new process of the tree begins stopped.
            Ok(WaitStatus::Stopped(pid, Signal::SIGSTOP)) if !inside.contains_key(&pid) => (pid, None),
            Ok(WaitStatus::Stopped(pid, signal)) => (pid, Some(signal)),
            Ok(WaitStatus::PtraceEvent(pid, _, _)) => (pid, None),
            Ok(_) => continue,
        };
        inside.entry(pid).or_default();
        // It may have been killed meanwhile; its end is reported next.
        let _ = ptrace::syscall(pid, signal);
    }
}

fn step(pid: Pid, inside: &mut HashMap<Pid, Vec<(PathBuf, Need)>>, rules: &Allowed, observed: &mut Observed) {
    match at(pid.as_raw()) {
        Ok(At::Enter { number, arguments }) => {
            inside.insert(pid, needs(pid, number.cast_signed(), &arguments));
        }
        // The lock's filter kills a process at such a call; what it would have reached meanwhile is not known.
        Ok(At::Foreign) => {
            inside.insert(pid, Vec::new());
            observed.not_traced.insert(fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default());
        }
        Ok(At::Leave(result)) => {
            let done = inside.insert(pid, Vec::new()).unwrap_or_default();
            for (path, need) in done.into_iter().filter(|(path, need)| result >= 0 && !rules.allows(path, *need)) {
                *observed.denied.entry((path, need)).or_default() += 1;
            }
        }
        Ok(At::Elsewhere) | Err(_) => {}
    }
}

/// What a call needs. Calls that take no path need nothing.
fn needs(pid: Pid, number: i64, arguments: &[u64; 6]) -> Vec<(PathBuf, Need)> {
    let here = libc::AT_FDCWD as u64;
    let path = |directory: u64, at: usize, need: Need| resolve(pid, directory, arguments[at]).map(|path| (path, need));
    let opened = |flags: u64, directory: u64, at: usize| {
        let flags = flags as i32;
        // O_PATH opens nothing (open(2)).
        let path = resolve(pid, directory, arguments[at]).filter(|_| flags & libc::O_PATH == 0)?;
        // O_CREAT makes nothing where something is.
        let makes = flags & libc::O_CREAT != 0 && !path.exists();
        let writes = makes || flags & libc::O_ACCMODE != libc::O_RDONLY || flags & libc::O_TRUNC != 0;
        Some((path, if writes { Need::Write } else { Need::Read }))
    };
    let one = |found: Option<(PathBuf, Need)>| found.into_iter().collect();
    match number {
        libc::SYS_openat => one(opened(arguments[2], arguments[0], 1)),
        // struct open_how begins with its flags (openat2(2)).
        libc::SYS_openat2 => one(word(pid, arguments[2]).and_then(|flags| opened(flags, arguments[0], 1))),
        libc::SYS_execve => one(path(here, 0, Need::Execute)),
        libc::SYS_execveat => one(path(arguments[0], 1, Need::Execute)),
        libc::SYS_truncate => one(path(here, 0, Need::Write)),
        libc::SYS_mkdirat | libc::SYS_unlinkat | libc::SYS_mknodat => one(path(arguments[0], 1, Need::Write)),
        libc::SYS_symlinkat => one(path(arguments[1], 2, Need::Write)),
        libc::SYS_linkat | libc::SYS_renameat2 | libc::SYS_renameat => {
            path(arguments[0], 1, Need::Write).into_iter().chain(path(arguments[2], 3, Need::Write)).collect()
        }
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => one(opened(arguments[1], here, 0)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_creat | libc::SYS_mkdir | libc::SYS_unlink | libc::SYS_rmdir | libc::SYS_mknod => {
            one(path(here, 0, Need::Write))
        }
        #[cfg(target_arch = "x86_64")]
        libc::SYS_symlink => one(path(here, 1, Need::Write)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename | libc::SYS_link => path(here, 0, Need::Write).into_iter().chain(path(here, 1, Need::Write)).collect(),
        _ => Vec::new(),
    }
}

/// The path that a process names, without links: as the kernel would walk it now.
fn resolve(pid: Pid, directory: u64, address: u64) -> Option<PathBuf> {
    let named = PathBuf::from(OsString::from_vec(text(pid, address)?));
    let base = match directory as i32 {
        libc::AT_FDCWD => format!("/proc/{pid}/cwd"),
        descriptor => format!("/proc/{pid}/fd/{descriptor}"),
    };
    let whole = if named.is_absolute() { named } else { fs::read_link(base).ok()?.join(named) };
    // What does not exist yet lies in a directory that does.
    let through_parent = || Some(fs::canonicalize(whole.parent()?).ok()?.join(whole.file_name()?));
    fs::canonicalize(&whole).ok().or_else(through_parent)
}

fn text(pid: Pid, address: u64) -> Option<Vec<u8>> {
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut found = Vec::new();
    // Page by page: the text may end right before memory that is not there.
    while found.len() < 4096 {
        let from = address + found.len() as u64;
        let mut part = vec![0u8; usize::try_from(4096 - from % 4096).ok()?];
        let length = memory.read_at(&mut part, from).ok().filter(|length| *length > 0)?;
        match part[..length].iter().position(|byte| *byte == 0) {
            Some(end) => return Some([&found[..], &part[..end]].concat()),
            None => found.extend_from_slice(&part[..length]),
        }
    }
    None
}

fn word(pid: Pid, address: u64) -> Option<u64> {
    let mut bytes = [0u8; 8];
    File::open(format!("/proc/{pid}/mem")).ok()?.read_exact_at(&mut bytes, address).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

/// The plan's rules, on paths without links: a rule sits on an inode, whatever name led there.
struct Allowed {
    read: BTreeSet<PathBuf>,
    write: BTreeSet<PathBuf>,
    execute: BTreeSet<PathBuf>,
    protect: BTreeSet<PathBuf>,
    mask: BTreeSet<PathBuf>,
}

impl Allowed {
    fn of(plan: &Plan) -> Self {
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let granted = |with: fn(bool, bool, bool) -> bool| {
            let rules = plan.rules.iter().filter(|rule| with(rule.grants.read, rule.grants.write, rule.grants.execute));
            rules.map(|rule| real(&rule.path)).collect()
        };
        Self {
            read: granted(|read, write, execute| read || write || execute),
            write: granted(|_, write, _| write),
            execute: granted(|_, _, execute| execute),
            protect: plan.protect.iter().map(|path| real(path)).collect(),
            mask: plan.mask.iter().map(|path| real(path)).collect(),
        }
    }

    fn allows(&self, path: &Path, need: Need) -> bool {
        let below = |set: &BTreeSet<PathBuf>| path.ancestors().any(|above| set.contains(above));
        // What has no path (a pipe, anonymous memory) has no rule either.
        let nameless = path.as_os_str().as_bytes().first() != Some(&b'/');
        nameless
            || !below(&self.mask)
                && match need {
                    Need::Read => below(&self.read),
                    Need::Write => below(&self.write) && !below(&self.protect),
                    Need::Execute => below(&self.execute),
                    Need::Stand => true,
                }
    }
}

/// The name by which a process finds itself to be the traced side.
pub const TRACED: &str = "--traced";

/// Our own program, to be run as the traced side.
pub fn traced(program: &Path, arguments: &[OsString]) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([OsStr::new("try"), OsStr::new(TRACED), program.as_os_str(), OsStr::new("--")]).args(arguments);
    Ok(command)
}
