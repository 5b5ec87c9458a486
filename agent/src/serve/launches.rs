//! Launch reports: each datagram comes with credentials from the kernel, and what it claims is compared with the marks
//! that `/proc` shows of the very process.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, UnixAddr, UnixCredentials, recvmsg, setsockopt, sockopt};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

use super::peer::marks_of;
use super::session::Session;
use crate::host::clock::BootTime;
use crate::record::Event;
use crate::record::event::{ObservedLaunch, Process, Variables};
use crate::wire::report::{Enforced, LaunchReport, MOST, Outcome};

/// Reports of one process that are recorded one by one.
const MOST_PER_PROCESS: u32 = 64;
/// Processes that are counted at once; beyond it counting begins anew.
const MOST_PROCESSES: usize = 4096;

/// Records reports for ever.
pub async fn listen(socket: OwnedFd, session: Rc<RefCell<Session>>) -> std::io::Result<Infallible> {
    setsockopt(&socket, sockopt::PassCred, &true)?;
    let socket = std::os::unix::net::UnixDatagram::from(socket);
    socket.set_nonblocking(true)?;
    let socket = UnixDatagram::from_std(socket)?;
    let mut counted: BTreeMap<i32, u32> = BTreeMap::new();
    let mut bucket = Bucket { left: Bucket::BURST, since: session.borrow().clock.boot() };
    loop {
        socket.readable().await?;
        match socket.try_io(Interest::READABLE, || receive(&socket)) {
            Ok(Some((credentials, report))) => {
                note(&mut session.borrow_mut(), &mut counted, &mut bucket, &credentials, &report);
            }
            // Not a report, or not from a process that the kernel names.
            Ok(None) => session.borrow_mut().unrecorded += 1,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

fn receive(socket: &UnixDatagram) -> std::io::Result<Option<(UnixCredentials, LaunchReport)>> {
    let mut bytes = [0u8; MOST + 1];
    let mut control = nix::cmsg_space!(UnixCredentials);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let message = recvmsg::<UnixAddr>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_DONTWAIT)?;
    let credentials = message.cmsgs()?.find_map(|one| match one {
        ControlMessageOwned::ScmCredentials(credentials) => Some(credentials),
        _ => None,
    });
    let length = message.bytes;
    let report = LaunchReport::decode(&bytes[..length.min(MOST + 1)]);
    Ok(credentials.zip(report))
}

/// How many reports are recorded, whoever sends them: any process of the job may send any number, and the disk is finite.
struct Bucket {
    left: u32,
    since: BootTime,
}

impl Bucket {
    /// Recorded at once at most, and then per second.
    const BURST: u32 = 1024;
    const PER_SECOND: u32 = 64;

    fn take(&mut self, now: BootTime) -> bool {
        let seconds = now.0.saturating_sub(self.since.0) / 1_000_000_000;
        if seconds > 0 {
            let gained = u32::try_from(seconds).unwrap_or(u32::MAX).saturating_mul(Self::PER_SECOND);
            self.left = self.left.saturating_add(gained).min(Self::BURST);
            self.since = now;
        }
        let some = self.left > 0;
        self.left = self.left.saturating_sub(1);
        some
    }
}

fn note(
    session: &mut Session,
    counted: &mut BTreeMap<i32, u32>,
    bucket: &mut Bucket,
    credentials: &UnixCredentials,
    report: &LaunchReport,
) {
    session.launches += 1;
    if counted.len() >= MOST_PROCESSES {
        counted.clear();
    }
    let count = counted.entry(credentials.pid()).or_default();
    *count += 1;
    let marks = marks_of(credentials.pid()).unwrap_or_default();
    let corroborated = match report.outcome {
        Outcome::Locked | Outcome::Inherited => marks.locked(session.kept),
        Outcome::Passed => !marks.locked(session.kept),
        // Where the policy enforces, nobody observes: such a report is made up.
        Outcome::Observed | Outcome::ObservedOutside => session.lock.strength == "none",
    };
    let whole = report.enforced.holds(Enforced::FULL) && matches!(report.outcome, Outcome::Locked | Outcome::Inherited);
    let event = Event::Launched {
        process: Process { pid: credentials.pid(), uid: credentials.uid() },
        target: report.target,
        outcome: report.outcome.word().to_owned(),
        full: session.lock.strength == "full" && corroborated && whole,
        variables: Variables {
            n: report.removed.count,
            removed: words(&report.removed.listed),
            pinned: report.overridden.count,
            overridden: words(&report.overridden.listed),
        },
        corroborated,
        observed: report
            .outcome
            .observed()
            .then(|| ObservedLaunch { within: report.outcome == Outcome::Observed, would_refuse: report.hindrance.reason() }),
    };
    let known = session.targets.contains(&report.target);
    if !known || *count > MOST_PER_PROCESS || !bucket.take(session.clock.boot()) || !session.recorder.offer(event) {
        session.unrecorded += 1;
    }
}

fn words(names: &[Vec<u8>]) -> Vec<String> {
    names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_reports_is_recorded_at_a_bounded_rate() {
        let mut bucket = Bucket { left: Bucket::BURST, since: BootTime(0) };
        let mut taken = |now: u64| (0..10_000).filter(|_| bucket.take(BootTime(now))).count();
        assert_eq!(taken(1), 1024);
        assert_eq!(taken(999_999_999), 0);
        assert_eq!(taken(2_000_000_000), 128);
        assert_eq!(taken(3_600_000_000_000), 1024);
    }
}
