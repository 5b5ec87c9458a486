//! The launcher in a covered program's place. What it stands for is written in its own bytes, never taken from argv;
//! whether it is inside a locked tree is asked of the kernel, never of the environment.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::exec::{LaunchError, exec, pass};
use super::observe;
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::paths;
use crate::lock::env::Built;
use crate::lock::sealed::SealedLock;
use crate::lock::{ApplyError, Locked, Place, Standing, TargetKind, apply, standing};
use crate::record::receipt;
use crate::screen::Screen;
use crate::unverified::Unverified;
use crate::wire::lease::{self, LeaseError};
use crate::wire::report::{Enforced, LaunchReport, Outcome};

/// How long a launch waits for room in the sidecar's queue, in milliseconds.
const PATIENCE: u8 = 5;

/// Becomes the program that copy `number` stands for. Returns only the screen of a refusal or failure.
pub fn run(number: u32, arguments: Vec<OsString>, given: Vec<(OsString, OsString)>, clock: &dyn Clock) -> Screen {
    match become_job(number, arguments, given, clock) {
        Ok(never) => match never {},
        Err(screen) => screen,
    }
}

fn become_job(
    number: u32,
    arguments: Vec<OsString>,
    given: Vec<(OsString, OsString)>,
    clock: &dyn Clock,
) -> Result<Infallible, Screen> {
    let lock = match SealedLock::open(Path::new(paths::LOCK)) {
        Ok(lock) if lock.seal.observes => return observe::with_lock(number, &lock, arguments, &given, clock),
        Ok(lock) => lock,
        Err(error) => return observe::without_lock(number, &error, arguments, &given),
    };
    let target = lock.target(number).ok_or_else(|| unknown_target(number))?;
    let failed = |error: LaunchError| error.screen();
    let inside = match (standing(&lock), target.kind) {
        (Standing::Outside, TargetKind::Inside) => {
            // The caller is the platform: it may not even have a lease to live under yet, or any more.
            tell(&sidecar(), &report(target.number, Outcome::Passed, Enforced::default(), &Built::default()));
            return pass(&target.real, arguments, given.into_iter().map(join).collect()).map_err(failed);
        }
        (Standing::Unclear, TargetKind::Inside) => return Err(unclear(&target.real)),
        (Standing::Inside(locked), _) => Some(locked),
        (Standing::Outside | Standing::Unclear, TargetKind::Root) => None,
    };
    check_lease(&lock, clock)?;
    let recorded = receipt::accept(&Unverified::new(lock.seal.receipt.as_slice())).map_err(|error| error.screen())?;
    let built = lock.env.build(given.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str())));
    // Connected while the socket is in sight; sent when there is something to report.
    let sidecar = sidecar();
    let (locked, outcome): (Locked, Outcome) = match inside {
        Some(locked) => (locked, Outcome::Inherited),
        None => (apply(&lock, Place::Root).map_err(|error| not_applied(&error))?, Outcome::Locked),
    };
    tell(&sidecar, &report(number, outcome, locked.report().enforced, &built));
    exec(locked, recorded, &target.real, arguments, built.entries).map_err(failed)
}

pub(super) fn check_lease(lock: &SealedLock, clock: &dyn Clock) -> Result<(), Screen> {
    let refused = |error: &dyn std::fmt::Display| {
        Screen::refused("lease-ended", Exit::RefusedLease, "launches are not allowed on this node any more")
            .fact("expected", "a lease that the keeper renews")
            .fact("presented", error)
            .hint("the identity was withdrawn, or Longhorn ended on this node; see `longhorn status`")
    };
    // One system call each, of a little more than there is: both are files of a known length.
    let mut room = [[0u8; 2 * lease::SIZE]; 2];
    let [boot, lease] = &mut room;
    let boot = read("/proc/sys/kernel/random/boot_id", boot)
        .ok()
        .and_then(|text| std::str::from_utf8(text).ok())
        .and_then(lease::parse_boot_id)
        .ok_or_else(|| refused(&"the kernel's boot id cannot be read"))?;
    let lease = read(paths::LEASE, lease).map_err(|error| refused(&error))?;
    if lock.seal.boot != boot {
        return Err(refused(&LeaseError::OtherBoot));
    }
    lease::check(lease, &boot, clock.boot()).map(|_| ()).map_err(|error| refused(&error))
}

fn read<'a>(path: &str, room: &'a mut [u8]) -> std::io::Result<&'a [u8]> {
    let length = std::fs::File::open(path)?.read(room)?;
    Ok(&room[..length])
}

fn not_applied(error: &ApplyError) -> Screen {
    if let ApplyError::CapabilitiesStay = error {
        return Screen::refused("capabilities-cannot-be-cut", Exit::RefusedFloor, error.to_string())
            .fact("expected capability cut", "CAP_SETPCAP, or no capability at all")
            .fact("presented", "other capabilities without it")
            .hint("start the program with that capability, as `longhorn init` was, or without any");
    }
    Screen::failed_on_node("lock-not-applied", error)
        .hint("the program was not started; root targets need the capabilities that `longhorn init` had")
}

pub(super) fn unknown_target(number: u32) -> Screen {
    Screen::refused(
        "target-unknown",
        Exit::RefusedLock,
        "this copy of the launcher stands for nothing that the sealed lock knows",
    )
    .fact("presented target", number)
    .hint("the copy was made under another lock; restart the cluster")
}

fn unclear(program: &Path) -> Screen {
    Screen::refused("place-unclear", Exit::RefusedLock, "this process is neither inside the locked tree nor certainly outside it")
        .fact("program", program.display())
        .fact("expected", "a process of the locked tree, or one of the platform's own")
        .fact("presented", "the marks of a lock, and a canary that cannot be seen as this lock shows it")
        .hint("a sandbox within the job, or a job of an earlier lock: start the job again, without another sandbox around this call")
}

pub(super) fn sidecar() -> Option<UnixDatagram> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = UnixDatagram::from(socket(AddressFamily::Unix, SockType::Datagram, flags, None).ok()?);
    socket.connect(paths::SOCKET_LAUNCH).ok()?;
    Some(socket)
}

pub(super) fn report(target: u32, outcome: Outcome, enforced: Enforced, built: &Built) -> LaunchReport {
    let (removed, overridden) = (built.removed.iter(), built.overridden.iter());
    LaunchReport::new(target, outcome, enforced, removed.map(OsString::as_os_str), overridden.map(OsString::as_os_str))
}

/// One datagram, waited for no longer than [`PATIENCE`]: a sidecar that cannot keep up must not hold a launch.
pub(super) fn tell(sidecar: &Option<UnixDatagram>, report: &LaunchReport) {
    if let Some(socket) = sidecar {
        let bytes = report.encode();
        if socket.send(&bytes).is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
            let _ = poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)], PATIENCE);
            let _ = socket.send(&bytes);
        }
    }
}

pub(super) fn join((name, value): (OsString, OsString)) -> OsString {
    let mut entry = name;
    entry.push(OsStr::new("="));
    entry.push(value);
    entry
}
