//! What `init` hears from keeper and sidecar, and tells them.

use std::io;
use std::time::Duration;

use crate::config::settings::Settings;
use crate::context::NodePublicKey;
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::paths;
use crate::run::node::{self, Keeper, Starting};
use crate::run::scope::Scope;
use crate::screen::Screen;
use crate::wire::control::{HELLO, KEPT, ToKeeper};
use crate::wire::packet;
use crate::wire::verdict::{FromInit, FromSidecar, screen};

/// Keeper or sidecar is gone, or says what this binary does not.
pub(super) fn astray(what: &str, cause: io::Error) -> Screen {
    Screen::failed("init-failed", Exit::Os, what)
        .fact("expected", "a keeper and a sidecar of this very binary that live until the node is locked")
        .fact("presented", cause)
        .hint("was one of them killed, for want of memory perhaps? What had begun is undone: run `longhorn init` again")
}

/// A keeper that said its key. systemd that is asked for a scope and does not make one costs a node its scope, not its lock.
pub(super) fn started(starting: &Starting<'_>, clock: &dyn Clock) -> Result<(Keeper, NodePublicKey), Screen> {
    if let Some(scope) = Scope::find(clock.boot()) {
        let mut keeper = node::start_keeper(starting, Some(&scope)).map_err(|error| error.screen())?;
        match node_key(&keeper) {
            Ok(key) => return Ok((keeper, key)),
            // Two keepers would fight for the sockets: the first is gone before the second comes.
            Err(_) => end(&mut keeper)?,
        }
    }
    let keeper = node::start_keeper(starting, None).map_err(|error| error.screen())?;
    let key = node_key(&keeper)?;
    Ok((keeper, key))
}

fn end(keeper: &mut Keeper) -> Result<(), Screen> {
    let ended = keeper.process.kill().and_then(|()| keeper.process.wait());
    ended.map(drop).map_err(|error| astray("a keeper that does not start cannot be ended", error))?;
    // What it may have bound before.
    node::empty(std::path::Path::new(paths::SOCKETS)).map_err(|error| error.screen())
}

fn node_key(keeper: &Keeper) -> Result<NodePublicKey, Screen> {
    let hello =
        packet::take(&keeper.control, Duration::from_secs(10)).map_err(|error| astray("the keeper does not start", error))?;
    let key =
        hello.as_deref().and_then(|bytes| bytes.strip_prefix(&[HELLO])).and_then(|bytes| NodePublicKey::from_bytes(bytes).ok());
    key.ok_or_else(|| astray("the keeper did not start", io::ErrorKind::BrokenPipe.into()))
}

/// One deadline for all that the sidecar has to say.
pub(super) fn hear(keeper: &Keeper, settings: &Settings, clock: &dyn Clock) -> Result<FromSidecar, Screen> {
    let silent = |cause: io::Error| {
        let screen = match cause.kind() {
            io::ErrorKind::TimedOut => Screen::failed("deadline", Exit::Unavailable, "there was no verdict before the deadline"),
            _ => Screen::failed("sidecar-died", Exit::Internal, "the sidecar ended without a verdict"),
        };
        screen
            .fact("expected", format!("a verdict within {} s", settings.node.deadline.as_secs()))
            .fact("presented", "none")
            .hint("the record under /var/lib/longhorn/log says how far it came")
    };
    let left = Duration::from_nanos(keeper.until.0.saturating_sub(clock.boot().0));
    let bytes = packet::take(&keeper.verdict, left).map_err(silent)?.ok_or_else(|| silent(io::ErrorKind::BrokenPipe.into()))?;
    serde_json::from_slice(&bytes).map_err(|error| astray("the sidecar does not make sense", error.into()))
}

pub(super) fn granted(keeper: &Keeper, settings: &Settings, clock: &dyn Clock) -> Result<(String, String), Screen> {
    match hear(keeper, settings, clock)? {
        FromSidecar::Granted { token, receipt } => Ok((token, receipt)),
        other => {
            Err(screen(other).unwrap_or_else(|| astray("the sidecar does not make sense", io::ErrorKind::InvalidData.into())))
        }
    }
}

pub(super) fn send(keeper: &Keeper, message: &FromInit) -> Result<(), Screen> {
    let bytes = serde_json::to_vec(message).map_err(|error| astray("cannot speak", error.into()))?;
    packet::put(&keeper.verdict, &bytes).map_err(|error| astray("the sidecar is gone", error))
}

/// Puts it on record that the node could not be locked.
pub(super) fn not_locked(keeper: &Keeper, screen: &Screen) -> Option<u64> {
    let detail = screen.facts.iter().map(|(label, value)| format!("{label}: {value}")).collect::<Vec<_>>().join("; ");
    send(keeper, &FromInit::NotLocked { reason: screen.reason.to_string(), detail }).ok()?;
    let bytes = packet::take(&keeper.verdict, Duration::from_secs(5)).ok()??;
    match serde_json::from_slice(&bytes).ok()? {
        FromSidecar::Stopped { entry, .. } => entry,
        FromSidecar::Granted { .. } | FromSidecar::Ready { .. } => None,
    }
}

/// Returns once launches are allowed and the context is published.
pub(super) fn commit(keeper: &Keeper) -> Result<(), Screen> {
    packet::put(&keeper.control, &ToKeeper::Commit.encode()).map_err(|error| astray("the keeper is gone", error))?;
    let answer =
        packet::take(&keeper.control, Duration::from_secs(10)).map_err(|error| astray("the keeper does not answer", error))?;
    match answer.as_deref() {
        Some([KEPT]) => Ok(()),
        _ => Err(astray("the keeper could not publish the context and the lease", io::ErrorKind::BrokenPipe.into())),
    }
}
