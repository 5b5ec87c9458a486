//! The sidecar's life from its first walk on: a new node agrees with `init`, a sidecar that was started again resumes;
//! both then serve, and renew for the job that the node was locked for and for no other.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use super::certify::certify;
use super::cluster::{self, Others};
use super::login;
use super::serve::{os, say};
use super::vouching::vouching;
use super::workspace::catalog;
use super::{AUDIENCE, Attested, Way, attest, not_recorded, tell};
use crate::config::settings::Settings;
use crate::context::seal::{Expiry, Voucher, open};
use crate::context::{Claims, Context, LockSummary};
use crate::decision::policy::Enforcement;
use crate::evidence::Failure;
use crate::exit::Exit;
use crate::host::clock::BootTime;
use crate::host::paths;
use crate::identity::job::Membership;
use crate::lock::sealed::{SealedLock, digest_of};
use crate::record::Event;
use crate::record::journal::Mirror;
use crate::screen::{Screen, Verdict};
use crate::serve::gateway::Question;
use crate::serve::session::{Session, State};
use crate::serve::sidecar::{Renewed, Sockets, publish, serve};
use crate::unverified::Unverified;
use crate::wire::control::ToKeeper;
use crate::wire::verdict::{FromInit, FromSidecar};
use crate::wire::{lease, packet};

/// The journal as it was met.
pub(super) struct Journal {
    /// The mirror, where one runs.
    pub(super) mirror: Option<Mirror>,
    /// In a word.
    pub(super) state: String,
}

/// What serving begins with.
struct Begun {
    /// What the node was locked for; absent when the identity was withdrawn before.
    standing: Option<Claims>,
    context: Option<Context>,
    lock: LockSummary,
    state: State,
    lease_end: BootTime,
    last_failure: Option<String>,
}

/// Walks the way for the first time, then serves. `first` is `init`'s socket and the inventory, on a node that is new.
pub(super) async fn live(
    way: Way,
    settings: &Settings,
    mut sockets: Sockets,
    first: Option<(&OwnedFd, Event)>,
    journal: Journal,
) -> Result<(), Screen> {
    let begun = match first {
        Some((init, inventory)) => {
            // What cannot be recorded here cannot be recorded below either, and there it decides.
            let _ = way.recorder.record(inventory).await;
            begin(&way, settings, &sockets.control, init).await
        }
        None => {
            let _ = way.recorder.record(Event::SidecarRestarted).await;
            resume(&way, &sockets.control).await
        }
    };
    let begun = match begun {
        Ok(begun) => begun,
        Err(screen) => {
            // A log of a node that was refused is complete: it says so.
            let _ = way.recorder.record(Event::Sealed).await;
            return Err(screen);
        }
    };
    let standing = begun.standing.clone();
    let lock = begun.lock.clone();
    let session = Rc::new(RefCell::new(session(&way, begun, journal)));
    let random = way.random.clone();
    let (mut others, listed) = (Others::default(), RefCell::new(None));
    let standing = standing.as_ref();
    let renew = async || {
        let attested = attest(&way, Some(standing.ok_or_else(withdrawn)?)).await?;
        if attested.grant.identity().membership == Membership::Provisional {
            return Ok(Renewed::NotListed);
        }
        certify(&way, way.clock.boot().plus(way.patience)).await?;
        let context = tell_on_record(&way, &attested, &lock).await?;
        let end = lease_end(&way, &attested);
        *listed.borrow_mut() = Some(attested.grant.identity().members.clone());
        Ok(Renewed::Listed { context: Box::new(context), end })
    };
    let look = async || {
        let (standing, members) = standing.zip(listed.take())?;
        others.look(&way, settings, standing, &members).await.map(|looked| looked.map_err(|failure| failure.reason()))
    };
    // Whoever asked may be gone.
    let find = async |question: Question| match question {
        Question::Key(kid, answer) => drop(answer.send(vouching(&way, settings, &kid).await)),
        Question::Workspace(question, answer) => drop(answer.send(catalog(&way, &question).await)),
    };
    let logins = sockets.gateway.as_mut().and_then(|gateway| gateway.logins.take());
    tokio::select! {
        served = serve(sockets, session, way.policy.lifetimes.lease, &*random, renew, look, find) => {
            served.map_err(os("the sidecar's sockets failed"))
        }
        never = login::answer(&way, logins) => match never {},
    }
}

/// On a new node: attests, agrees with `init`, publishes.
async fn begin(way: &Way, settings: &Settings, control: &OwnedFd, init: &OwnedFd) -> Result<Begun, Screen> {
    let end = way.clock.boot().plus(way.patience);
    let attested = attest(way, None).await?;
    let unpublished = |failure: Failure| failure.screen();
    cluster::publish_key(way, settings, end).await.map_err(unpublished)?;
    certify(way, end).await?;
    let lock = agree_with_init(way, settings, &attested, init).await?;
    cluster::publish_attestation(way, settings, &attested, &lock, end).await.map_err(unpublished)?;
    let context = tell_on_record(way, &attested, &lock).await?;
    let end = lease_end(way, &attested);
    publish(control, &context).map_err(os("the keeper is gone"))?;
    packet::put(control, &ToKeeper::Lease(end).encode()).map_err(os("the keeper is gone"))?;
    say(init, &FromSidecar::Ready { entry: attested.recorded.seq() }).map_err(os("init is gone"))?;
    Ok(Begun {
        standing: Some(context.claims().clone()),
        context: Some(context),
        state: State::of(&lock),
        lock,
        lease_end: end,
        last_failure: None,
    })
}

/// Started again: what the node was locked for is what the published context says. Without one the identity was
/// withdrawn before, and stays so. A workspace that cannot be asked now is asked again while this sidecar serves.
async fn resume(way: &Way, control: &OwnedFd) -> Result<Begun, Screen> {
    let lock = lock_in_place(way.policy.enforcement);
    let Some(standing) = published(way) else {
        return Ok(Begun {
            standing: None,
            context: None,
            lock,
            state: State::Withdrawn,
            lease_end: BootTime(0),
            last_failure: Some("context-withdrawn".into()),
        });
    };
    let begun = Begun {
        state: State::of(&lock),
        lock,
        standing: Some(standing),
        context: None,
        lease_end: lease_in_place(way),
        last_failure: None,
    };
    let attested = match attest(way, begun.standing.as_ref()).await {
        Ok(attested) => certify(way, way.clock.boot().plus(way.patience)).await.map(|()| attested),
        Err(screen) => Err(screen),
    };
    match attested {
        // A sidecar that was started again must not prolong what a provisional lease allowed.
        Ok(attested) if attested.grant.identity().membership == Membership::Provisional => {
            let context = tell_on_record(way, &attested, &begun.lock).await?;
            Ok(Begun { context: Some(context), last_failure: Some("node-not-listed".into()), ..begun })
        }
        Ok(attested) => {
            let context = tell_on_record(way, &attested, &begun.lock).await?;
            let end = lease_end(way, &attested);
            publish(control, &context).map_err(os("the keeper is gone"))?;
            packet::put(control, &ToKeeper::Lease(end).encode()).map_err(os("the keeper is gone"))?;
            Ok(Begun { context: Some(context), lease_end: end, ..begun })
        }
        Err(screen) if screen.verdict == Verdict::Refused => {
            packet::put(control, &ToKeeper::Withdraw.encode()).map_err(os("the keeper is gone"))?;
            Ok(Begun { state: State::Withdrawn, lease_end: BootTime(0), last_failure: Some(screen.reason.into_owned()), ..begun })
        }
        Err(screen) => Ok(Begun { last_failure: Some(screen.reason.into_owned()), ..begun }),
    }
}

fn withdrawn() -> Screen {
    Screen::refused("context-withdrawn", Exit::RefusedEvidence, "the context of this node was withdrawn")
        .fact("expected", "an identity that is still good")
        .fact("presented", "one that was withdrawn since the node was locked")
        .hint("restart the cluster so that `longhorn init` attests it anew")
}

/// What the published context says, where this node's own key signed it. It may have ended meanwhile.
fn published(way: &Way) -> Option<Claims> {
    let token = std::fs::read(paths::CONTEXT_JWT).ok()?;
    let token = Unverified::new(token.trim_ascii());
    open(&token, &Voucher::NodeKey(way.key.public()), AUDIENCE, way.clock.now(), Expiry::Ignored).ok()
}

/// Until when launches are allowed that an earlier sidecar asked for.
fn lease_in_place(way: &Way) -> BootTime {
    let bytes = std::fs::read(paths::LEASE).unwrap_or_default();
    let boot = lease::parse_boot_id(&way.boot);
    boot.and_then(|boot| lease::check(&bytes, &boot, way.clock.boot()).ok()).unwrap_or(BootTime(0))
}

/// Launches are allowed for one period, and never beyond what the proofs and the policy are good for.
fn lease_end(way: &Way, attested: &Attested) -> BootTime {
    let lifetimes = way.policy.lifetimes;
    let listed = attested.grant.identity().membership == Membership::Listed;
    let good = attested.grant.good_until().since(way.clock.now());
    way.clock.boot().plus(if listed { lifetimes.lease } else { lifetimes.provisional }.min(good))
}

/// A context that is on record before anybody sees it.
async fn tell_on_record(way: &Way, attested: &Attested, lock: &LockSummary) -> Result<Context, Screen> {
    let context = tell(way, &attested.grant, Some(lock));
    let issued = Event::ContextIssued {
        jti: context.claims().jti.clone(),
        expires: context.expires().millis(),
        sha256: crate::host::digest::sha256_hex(context.token().as_bytes()),
    };
    let recorded = way.recorder.record(issued).await;
    let _ = recorded.map_err(not_recorded("the context could not be recorded; nobody is told it"))?;
    Ok(context)
}

/// Shows `init` the grant, and puts the lock that it made on record.
async fn agree_with_init(way: &Way, settings: &Settings, attested: &Attested, socket: &OwnedFd) -> Result<LockSummary, Screen> {
    let preliminary = tell(way, &attested.grant, None);
    let receipt = attested.recorded.receipt();
    say(socket, &FromSidecar::Granted { token: preliminary.token().to_owned(), receipt }).map_err(os("init is gone"))?;
    let answer = packet::take(socket, settings.node.deadline)
        .map_err(os("init does not answer"))?
        .ok_or_else(|| os("init is gone")(io::ErrorKind::BrokenPipe.into()))?;
    let failed = not_recorded("the lock could not be recorded; it is undone");
    match serde_json::from_slice(&answer).map_err(|error| os("init does not make sense")(error.into()))? {
        FromInit::Locked { digest, strength, open, report } => {
            let event = Event::LockSealed {
                sha256: digest.clone(),
                strength: strength.clone(),
                open: open.clone(),
                report_sha256: crate::host::digest::sha256_hex(report.as_bytes()),
            };
            let _ = way.recorder.record(event).await.map_err(failed)?;
            Ok(LockSummary { digest, strength, open })
        }
        FromInit::NotLocked { reason, detail } => {
            let recorded = way.recorder.record(Event::LockRefused { reason, detail }).await.map_err(failed)?;
            Err(Screen::refused("not-locked", Exit::RefusedFloor, "the node could not be locked").entry(recorded.seq()))
        }
    }
}

/// The lock that an earlier sidecar put on record, for a sidecar that was started again.
fn lock_in_place(enforcement: Enforcement) -> LockSummary {
    let sealed = std::fs::read(paths::LOCK).unwrap_or_default();
    match SealedLock::parse(&sealed) {
        Ok(lock) if enforcement == Enforcement::Enforce => LockSummary {
            digest: digest_of(&sealed),
            strength: if lock.full { "full" } else { "degraded" }.to_owned(),
            open: lock.open,
        },
        Ok(lock) if lock.seal.observes => {
            LockSummary { digest: digest_of(&sealed), strength: "none".to_owned(), open: lock.open }
        }
        _ => LockSummary { digest: String::new(), strength: "none".to_owned(), open: vec!["observe".into()] },
    }
}

fn session(way: &Way, begun: Begun, journal: Journal) -> Session {
    let sealed = SealedLock::open(Path::new(paths::LOCK)).ok();
    Session {
        recorder: way.recorder.clone(),
        context: begun.context.map(Rc::new),
        lock: begun.lock,
        kept: sealed.as_ref().map_or(0, |lock| lock.kept),
        targets: sealed.iter().flat_map(|lock| lock.seal.targets.iter().map(|target| target.number)).collect(),
        state: begun.state,
        lease_end: begun.lease_end,
        last_failure: begun.last_failure,
        nodes: None,
        launches: 0,
        unrecorded: 0,
        gaps: 0,
        refused_peers: 0,
        refused_requests: 0,
        mirror: journal.mirror,
        journal: journal.state,
        clock: way.clock.clone(),
    }
}
