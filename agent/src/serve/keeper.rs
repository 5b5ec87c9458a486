//! The keeper: root, without network, parses nothing that others wrote. Keeper dead means the lease ends and launches
//! are refused; sidecar dead means it is started again with the same sockets, key and credentials.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::{holder, publish};
use crate::host::clock::{BootTime, Clock};
use crate::host::paths;
use crate::wire::control::{KEPT, ToKeeper};
use crate::wire::holder::{Ends, Holder};
use crate::wire::packet;

/// What the keeper holds while it lives.
pub struct Holdings {
    /// To `init`.
    pub init: OwnedFd,
    /// `init`'s end for the first sidecar's verdict.
    pub verdict: Option<OwnedFd>,
    /// The node key's seed.
    pub node_key: OwnedFd,
    /// The agent's credentials.
    pub credentials: OwnedFd,
    /// The listening API socket.
    pub api: OwnedFd,
    /// The launch report socket.
    pub launch: OwnedFd,
    /// The gateway's listening sockets, where there is a registry: on loopback, and in the file system.
    pub registry: Option<[OwnedFd; 2]>,
    /// The lease.
    pub lease: publish::Lease,
    /// No single lease is longer.
    pub lease_most: Duration,
    /// The sidecar's uid and gid.
    pub uid: u32,
    /// Whether the policy observes: then a sampler looks at the processes of covered trees.
    pub observe: bool,
    /// The environment of the sidecar: the platform's `DB_*` hints and nothing else.
    pub hints: Vec<(String, String)>,
}

/// How the keeper ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// `init` went away before it committed: nothing may remain.
    Abandoned,
    /// Asked to by SIGTERM.
    Asked,
}

/// Waits this long before a sidecar that died is started again, doubling up to the last.
const RESTART: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];
/// A sidecar that lived this long starts the row above anew.
const SETTLED: Duration = Duration::from_secs(60);
/// After SIGTERM the sidecar has this long to seal its record (design 8).
const FAREWELL: Duration = Duration::from_secs(10);

/// Keeps, until `init` abandons it or somebody asks it to end.
///
/// # Errors
/// When signals, polling or starting a sidecar fail; the caller ends the process and with it the lease.
pub fn keep(mut holdings: Holdings, clock: &dyn Clock) -> io::Result<Ended> {
    let signals = signals()?;
    let verdict = holdings.verdict.take();
    // It ends with this function.
    let sampler = if holdings.observe { Some(Sampler::start()?) } else { None };
    let holders = holdings.registry.as_ref().map(|_| packet::pair()).transpose()?;
    let shares =
        Shares { samples: sampler.as_ref().map(|sampler| &sampler.samples), holders: holders.as_ref().map(|(_, theirs)| theirs) };
    let holders = holders.as_ref().map(|(ours, _)| ours);
    let mut sidecar = Some(Sidecar::start(&holdings, &shares, verdict, clock)?);
    let mut committed = false;
    let mut deaths = 0usize;
    let mut restart_at: Option<BootTime> = None;
    loop {
        let ready = wait(&signals, (!committed).then_some(&holdings.init), holders, sidecar.as_ref(), restart_at, clock)?;
        if ready.holders
            && let Some(socket) = holders
        {
            answer(socket);
        }
        if ready.signal && signals.read_signal()?.is_some_and(|info| info.ssi_signo == Signal::SIGTERM as u32) {
            holdings.lease.end();
            farewell(sidecar.take(), clock);
            return Ok(Ended::Asked);
        }
        if ready.init {
            match packet::take_ready(&holdings.init) {
                // What the sidecar asked before it said that it is ready is carried out before `init` hears of it: when
                // `init` returns, launches are allowed and the context is there.
                Ok(Some(bytes))
                    if ToKeeper::decode(&bytes) == Ok(ToKeeper::Commit)
                        && sidecar
                            .as_mut()
                            .is_some_and(|running| running.settle(&mut holdings.lease, holdings.lease_most, clock)) =>
                {
                    packet::put(&holdings.init, &[KEPT])?;
                    committed = true;
                    // From here on it waits. Refused, what starting up needed merely stays in memory.
                    let _ = longhorn_sys::mem::release_code();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => {
                    holdings.lease.end();
                    if let Some(mut gone) = sidecar.take() {
                        gone.end();
                    }
                    return Ok(Ended::Abandoned);
                }
            }
        }
        if ready.sidecar
            && let Some(running) = sidecar.as_mut()
            && running.hear(&mut holdings.lease, holdings.lease_most, clock) == Heard::Gone
        {
            let lived = clock.boot().0.saturating_sub(running.started.0);
            running.end();
            sidecar = None;
            deaths = if lived >= u64::try_from(SETTLED.as_nanos()).unwrap_or(u64::MAX) { 1 } else { deaths + 1 };
            restart_at = committed.then(|| clock.boot().plus(RESTART[(deaths - 1).min(RESTART.len() - 1)]));
        }
        if restart_at.is_some_and(|at| clock.boot() >= at) {
            restart_at = None;
            match Sidecar::start(&holdings, &shares, None, clock) {
                Ok(started) => sidecar = Some(started),
                // No process or descriptor to be had just now: tried again, as after a death. The node key stays.
                Err(_) => {
                    deaths += 1;
                    restart_at = Some(clock.boot().plus(RESTART[(deaths - 1).min(RESTART.len() - 1)]));
                }
            }
        }
    }
}

/// Says who holds the other end of a connection. What is no question gets no answer, and a sidecar that cannot take one has its
/// question unanswered.
fn answer(socket: &OwnedFd) {
    if let Ok(Some(bytes)) = packet::take_ready(socket)
        && let Ok(ends) = Ends::decode(&bytes)
    {
        let _ = packet::put(socket, &Holder::encode(&ends, holder::find(&ends)));
    }
}

/// Sockets that each sidecar gets again.
struct Shares<'a> {
    samples: Option<&'a OwnedFd>,
    /// Where it asks who holds a connection.
    holders: Option<&'a OwnedFd>,
}

struct Ready {
    signal: bool,
    init: bool,
    holders: bool,
    sidecar: bool,
}

fn wait(
    signals: &SignalFd,
    init: Option<&OwnedFd>,
    holders: Option<&OwnedFd>,
    sidecar: Option<&Sidecar>,
    restart_at: Option<BootTime>,
    clock: &dyn Clock,
) -> io::Result<Ready> {
    let timeout = restart_at.map_or(PollTimeout::NONE, |at| {
        let millis = at.0.saturating_sub(clock.boot().0).div_ceil(1_000_000);
        PollTimeout::from(u16::try_from(millis).unwrap_or(u16::MAX))
    });
    let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    fds.extend(init.into_iter().chain(holders).map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN)));
    fds.extend(sidecar.map(|running| PollFd::new(running.control.as_fd(), PollFlags::POLLIN)));
    match poll(&mut fds, timeout) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut ready = fds.iter().map(|fd| fd.any().unwrap_or(false));
    Ok(Ready {
        signal: ready.next().unwrap_or(false),
        init: init.is_some() && ready.next().unwrap_or(false),
        holders: holders.is_some() && ready.next().unwrap_or(false),
        sidecar: sidecar.is_some() && ready.next().unwrap_or(false),
    })
}

fn signals() -> io::Result<SignalFd> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGTERM);
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?)
}

struct Sidecar {
    child: Child,
    control: OwnedFd,
    started: BootTime,
    /// Whether everything it asked for could be carried out.
    carried_out: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    Message,
    Nothing,
    /// It is gone, or talks nonsense.
    Gone,
}

impl Sidecar {
    fn start(holdings: &Holdings, shares: &Shares<'_>, verdict: Option<OwnedFd>, clock: &dyn Clock) -> io::Result<Self> {
        let (control, theirs) = packet::pair()?;
        let mut command = Command::new(paths::BINARY);
        command.arg("serve").env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
        command.envs(holdings.hints.iter().map(|(name, value)| (name, value)));
        let passed = [
            ("--control", Some(&theirs)),
            ("--verdict", verdict.as_ref()),
            ("--node-key", Some(&holdings.node_key)),
            ("--credentials", Some(&holdings.credentials)),
            ("--api", Some(&holdings.api)),
            ("--launch", Some(&holdings.launch)),
            ("--samples", shares.samples),
            ("--registry", holdings.registry.as_ref().map(|[port, _]| port)),
            ("--registry-socket", holdings.registry.as_ref().map(|[_, socket]| socket)),
            ("--holders", shares.holders),
        ];
        // Open across exec just while the child starts: the keeper is single-threaded and starts nothing else.
        for (name, fd) in passed.iter().filter_map(|(name, fd)| fd.map(|fd| (name, fd))) {
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
            command.arg(name).arg(fd.as_raw_fd().to_string());
        }
        command.arg("--uid").arg(holdings.uid.to_string());
        let child = command.spawn()?;
        for fd in passed.iter().filter_map(|(_, fd)| *fd) {
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        Ok(Self { child, control, started: clock.boot(), carried_out: true })
    }

    /// Carries out what the sidecar asks.
    fn hear(&mut self, lease: &mut publish::Lease, most: Duration, clock: &dyn Clock) -> Heard {
        let message = match packet::take_ready(&self.control) {
            Ok(Some(bytes)) => ToKeeper::decode(&bytes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Heard::Nothing,
            _ => return Heard::Gone,
        };
        self.carried_out &= match message {
            Ok(ToKeeper::Lease(end)) => {
                lease.extend(end.min(clock.boot().plus(most)));
                true
            }
            // Later, a context that cannot be written stays as it was and runs out by itself: the sidecar sees it there.
            Ok(ToKeeper::Publish { json, token }) => publish::context(&json, &token).is_ok(),
            Ok(ToKeeper::Withdraw) => {
                lease.end();
                publish::withdraw().is_ok()
            }
            Ok(ToKeeper::Commit) | Err(_) => return Heard::Gone,
        };
        Heard::Message
    }

    /// Carries out all that it asked so far; false unless every bit of it could be, and launches are allowed now.
    fn settle(&mut self, lease: &mut publish::Lease, most: Duration, clock: &dyn Clock) -> bool {
        loop {
            match self.hear(lease, most, clock) {
                Heard::Message => {}
                Heard::Nothing => return self.carried_out && lease.runs(clock.boot()),
                Heard::Gone => return false,
            }
        }
    }

    fn end(&mut self) {
        // Both fail only for a child that is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sampler. It is not started again: the sidecar sees its end, and the record says that there will be no more samples.
struct Sampler {
    child: Child,
    /// What the sidecar hears it by.
    samples: OwnedFd,
}

impl Sampler {
    fn start() -> io::Result<Self> {
        let (samples, theirs) = packet::pair()?;
        let mut command = Command::new(paths::BINARY);
        command.arg("sample").env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
        fcntl(&theirs, FcntlArg::F_SETFD(FdFlag::empty()))?;
        let child = command.arg("--samples").arg(theirs.as_raw_fd().to_string()).spawn()?;
        Ok(Self { child, samples })
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        // Both fail only for a child that is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn farewell(sidecar: Option<Sidecar>, clock: &dyn Clock) {
    let Some(mut sidecar) = sidecar else { return };
    let pid = nix::unistd::Pid::from_raw(i32::try_from(sidecar.child.id()).unwrap_or(i32::MAX));
    if nix::sys::signal::kill(pid, Signal::SIGTERM).is_ok() {
        let until = clock.boot().plus(FAREWELL);
        while clock.boot() < until && matches!(sidecar.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    sidecar.end();
}
