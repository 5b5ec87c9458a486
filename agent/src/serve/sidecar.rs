//! The sidecar's life after the verdict: answers, records, renews, withdraws. It never sees evidence or policy: whoever
//! starts it hands it a `renew` that walks the whole way again, a `look` at the other nodes, and a `find` for
//! what the gateway has to know of others.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};

use super::apart::Apart;
use super::gateway::{Gateway, Question, questions};
use super::session::{Looked, Session, State};
use super::{api, gateway, launches, samples};
use crate::context::Context;
use crate::host::clock::BootTime;
use crate::host::random::Random;
use crate::record::Event;
use crate::screen::{Screen, Verdict};
use crate::wire::control::ToKeeper;
use crate::wire::packet;

/// What a renewal brings.
pub enum Renewed {
    /// A new context, and until when launches are allowed.
    Listed {
        /// The context.
        context: Box<Context>,
        /// The end of the lease.
        end: BootTime,
    },
    /// The workspace does not list this node yet: a provisional lease is not renewed until it does.
    NotListed,
}

/// The sidecar's sockets.
pub struct Sockets {
    /// To the keeper.
    pub control: OwnedFd,
    /// The API.
    pub api: OwnedFd,
    /// Launch reports.
    pub launch: OwnedFd,
    /// The sampler's end, on a node that observes.
    pub samples: Option<OwnedFd>,
    /// The gateway, where there is a registry.
    pub gateway: Option<Gateway>,
}

/// No renewal follows another one sooner.
const SOONEST: Duration = Duration::from_millis(200);
/// Between two records that say "still here".
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Serves until the keeper is gone or asks it to end.
///
/// # Errors
/// When sockets or signals fail; the keeper then starts another sidecar.
pub async fn serve<R, L, F>(
    sockets: Sockets,
    session: Rc<RefCell<Session>>,
    lease: Duration,
    random: &dyn Random,
    renew: R,
    look: L,
    find: F,
) -> std::io::Result<()>
where
    R: AsyncFnMut() -> Result<Renewed, Screen>,
    L: AsyncFnMut() -> Option<Looked>,
    F: AsyncFn(Question),
{
    let control = sockets.control;
    // The same socket, watched: its end becomes readable only when the keeper is gone.
    let watched = StdStream::from(control.try_clone()?);
    watched.set_nonblocking(true)?;
    let watched = UnixStream::from_std(watched)?;
    let listener = StdListener::from(sockets.api);
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let mut term = signal(SignalKind::terminate())?;
    let (asks, questions) = questions();
    let local = tokio::task::LocalSet::new();
    // Connections are tasks of their own: what waits here is not asked for each of theirs.
    let ended = local.run_until(Apart::new(async {
        tokio::select! {
            never = api::answer(listener, session.clone()) => match never {},
            failed = launches::listen(sockets.launch, session.clone()) => failed.map(|never| match never {}),
            failed = samples::listen(sockets.samples, session.clone()) => failed.map(|never| match never {}),
            failed = gateway::answer(sockets.gateway, asks, session.clone()) => failed.map(|never| match never {}),
            () = questions.answer(find) => Ok(()),
            failed = renewals(&control, &session, lease, random, renew, look) => failed,
            () = heartbeats(&session) => Ok(()),
            gone = watched.readable() => gone,
            _ = term.recv() => Ok(()),
        }
    }));
    let ended = ended.await;
    let recorder = session.borrow().recorder.clone();
    session.borrow_mut().admit_gap();
    // The last record; a disk that refuses it leaves the log OPEN, which is what it then is.
    let _ = recorder.record(Event::Sealed).await;
    ended
}

async fn renewals<R, L>(
    control: &OwnedFd,
    session: &Rc<RefCell<Session>>,
    lease: Duration,
    random: &dyn Random,
    mut renew: R,
    mut look: L,
) -> std::io::Result<()>
where
    R: AsyncFnMut() -> Result<Renewed, Screen>,
    L: AsyncFnMut() -> Option<Looked>,
{
    let clock = session.borrow().clock.clone();
    // Soon enough before the end that one failure leaves time for another try; not faster and faster towards an end that no
    // renewal moves.
    let before = |end: BootTime| {
        let left = Duration::from_nanos(end.0.saturating_sub(clock.boot().0));
        jittered(left.min(lease), random).max(lease / 10).max(SOONEST)
    };
    let soon = || jittered(lease / 10, random).max(SOONEST);
    let told = session.borrow().context.is_some();
    let mut pause = if told { before(session.borrow().lease_end) } else { soon() };
    loop {
        tokio::time::sleep(pause).await;
        match renew().await {
            Ok(Renewed::Listed { context, end }) => {
                publish(control, &context)?;
                packet::put(control, &ToKeeper::Lease(end).encode())?;
                {
                    let mut session = session.borrow_mut();
                    session.lease_end = end;
                    session.state = State::of(&session.lock);
                    session.context = Some(Rc::from(context));
                    session.last_failure = None;
                }
                // Only now: what the other nodes did decides nothing here, and must not keep this one waiting.
                if let Some(nodes) = look().await {
                    session.borrow_mut().compared(nodes);
                }
                pause = before(end);
            }
            Ok(Renewed::NotListed) => {
                session.borrow_mut().last_failure = Some("node-not-listed".into());
                pause = soon();
            }
            // The identity is gone: no more launches, no more context. It may come back; the record says when it went.
            Err(screen) if screen.verdict == Verdict::Refused => {
                packet::put(control, &ToKeeper::Withdraw.encode())?;
                let (recorder, was) = {
                    let mut session = session.borrow_mut();
                    let was = session.state;
                    session.state = State::Withdrawn;
                    session.context = None;
                    session.lease_end = BootTime(0);
                    session.last_failure = Some(screen.reason.to_string());
                    (session.recorder.clone(), was)
                };
                if was != State::Withdrawn {
                    // Withdrawn already, recorded or not: what cannot be recorded is counted by the writer as a gap.
                    let _ = recorder.record(Event::ContextWithdrawn { reason: screen.reason.into_owned() }).await;
                }
                pause = jittered(lease, random);
            }
            // Could not tell: the lease runs on to its own end and no further.
            Err(screen) => {
                session.borrow_mut().last_failure = Some(screen.reason.into_owned());
                pause = soon();
            }
        }
    }
}

/// Publishes a context through the keeper, which owns the files.
///
/// # Errors
/// When the keeper is gone.
pub fn publish(control: &OwnedFd, context: &Context) -> std::io::Result<()> {
    packet::put(
        control,
        &ToKeeper::Publish { json: context.json().into_bytes(), token: context.token().as_bytes().to_vec() }.encode(),
    )
}

async fn heartbeats(session: &Rc<RefCell<Session>>) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let mut session = session.borrow_mut();
        let disk_free =
            nix::sys::statvfs::statvfs(crate::host::paths::LOG).map_or(0, |stat| stat.blocks_available() * stat.fragment_size());
        let journal_dropped = session.mirror.as_ref().map_or(0, |mirror| mirror.dropped());
        let beat = Event::Heartbeat { journal_dropped, launches_unrecorded: session.unrecorded, disk_free };
        // A full queue means that the log is alive without it.
        let _ = session.recorder.offer(beat);
        session.admit_gap();
    }
}

/// 60 to 80 % of a period, so that a cluster's nodes do not renew together and one failure leaves time for another try.
fn jittered(period: Duration, random: &dyn Random) -> Duration {
    let mut byte = [0u8; 1];
    random.fill(&mut byte);
    period * (60 + u32::from(byte[0]) * 20 / 255) / 100
}
