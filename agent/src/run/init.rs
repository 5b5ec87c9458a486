//! `longhorn init`: returns only when the lock is in place, else non-zero with nothing half-done left behind. Killed at
//! any instant and run again, it comes to the same result: every run first undoes what an unfinished one left.

mod documents;
mod keeper;
mod lock_node;
mod metadata;
mod secrets;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::documents::{Verified, verify};
use self::keeper::{astray, commit, granted, hear, not_locked, send, started};
use self::lock_node::{lock_node, observe_node};
use self::secrets::gather_secrets;
use super::node;
use crate::cli::args::InitArgs;
use crate::config::env_names;
use crate::config::settings::{Authority, Settings};
use crate::context::seal::{Expiry, Voucher, open};
use crate::context::variables::spark_conf;
use crate::context::{Claims, NodePublicKey};
use crate::decision::policy::Enforcement;
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::digest::sha256_hex;
use crate::host::paths;
use crate::lock::{namespace, uncover};
use crate::mlflow;
use crate::screen::Screen;
use crate::serve::publish::place;
use crate::unverified::Unverified;
use crate::wire::lease::{self, parse_boot_id};
use crate::wire::verdict::{FromSidecar, screen};

/// The init script's digest, for the first record.
pub const SCRIPT_DIGEST: &str = "/etc/longhorn/script.sha256";
/// Says which settings and policy the finished installation is of; written last.
const FINISHED: &str = "/run/longhorn/finished";

/// What a successful run says in one line.
#[derive(Debug)]
pub struct Summary {
    /// The line.
    pub line: String,
}

/// Attests this node and locks it; what is more than a screen, every problem of the settings, goes to `talk`.
///
/// # Errors
/// The screen of the refusal or failure; nothing half-done is left.
pub fn run(args: &InitArgs, clock: &dyn Clock, talk: &mut dyn io::Write) -> Result<Summary, Screen> {
    let user = nix::unistd::geteuid();
    if !user.is_root() {
        return Err(Screen::failed("not-root", Exit::Os, "`longhorn init` must run as root")
            .fact("expected", "user 0")
            .fact("presented", format!("user {user}"))
            .hint("the platform runs init scripts as root"));
    }
    // The directories that launchers look into are for every caller to read, whatever the init script's umask.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    let verified = verify(args, clock, talk)?;
    let _alone = node::alone().map_err(|error| error.screen())?;
    let own = node::own().map_err(|error| error.screen())?;
    let mark = sha256_hex(format!("{} {} {}", verified.settings.digest, verified.policy.digest, own.digest).as_bytes());
    if finished(&mark, clock) {
        let word = if verified.policy.enforcement == Enforcement::Observe { "observing" } else { "locked" };
        return Ok(Summary { line: format!("longhorn: already {word}: this node runs under these very settings and policy") });
    }
    for line in undo(clock)? {
        // The node is locked whether or not anybody reads it.
        let _ = writeln!(talk, "{line}");
    }
    let outcome = install(args, &verified, own, &mark, clock, talk);
    if outcome.is_err() {
        // The first screen is the one that matters; what an undo could not undo, the next run tries again.
        let _ = undo(clock);
    }
    outcome
}

/// A finished installation of the same documents by the same program, whose keeper lives and whose lease runs.
fn finished(mark: &str, clock: &dyn Clock) -> bool {
    let boot = node::boot_id().ok().and_then(|text| parse_boot_id(&text));
    let runs =
        boot.is_some_and(|boot| fs::read(paths::LEASE).is_ok_and(|bytes| lease::check(&bytes, &boot, clock.boot()).is_ok()));
    runs && node::keeper_lives() && fs::read_to_string(FINISHED).is_ok_and(|text| text == mark)
}

/// Takes everything away but the record: alone, because an `init` that still builds would have its ground taken away.
/// Returns a line for each program that is not put back, because somebody replaced it.
///
/// # Errors
/// When another run is at work, or something cannot be taken away.
pub fn uninstall(clock: &dyn Clock) -> Result<Vec<String>, Screen> {
    let _alone = node::alone().map_err(|error| error.screen())?;
    undo(clock)
}

/// Safe at any state of the node, any number of times.
fn undo(clock: &dyn Clock) -> Result<Vec<String>, Screen> {
    let failed = |error: &dyn std::error::Error| Screen::failed_on_node("undo-failed", error);
    // First: a node whose covers stay keeps everything else as well.
    uncover::within_reach()?;
    node::end_keeper(clock, Duration::from_secs(12)).map_err(|error| error.screen())?;
    let replaced = uncover::uninstall().map_err(|error| failed(&error))?;
    let plugin = mlflow::remove(Path::new(paths::PLUGIN));
    let inhabited = namespace::inhabited();
    namespace::unpin();
    node::empty(Path::new(paths::RUN)).map_err(|error| error.screen())?;
    // A locked tree that still lives has them read-only: removed, they would come off there, and what stands in their place
    // later would be writable in it.
    let directories: &[&str] = if inhabited { &[] } else { &[paths::RUN] };
    let removed = directories.iter().chain(&[paths::CANARIES, paths::LAUNCHERS]);
    uncover::remove_real().map_err(|error| failed(&error))?;
    for path in removed {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&error)),
            _ => {}
        }
    }
    let line = |path: &PathBuf| {
        format!("longhorn: left as it is: {} was replaced since it was covered, as an upgrade does", path.display())
    };
    Ok(replaced.iter().map(line).chain(plugin).collect())
}

fn install(
    args: &InitArgs,
    verified: &Verified,
    own: node::Own,
    mark: &str,
    clock: &dyn Clock,
    talk: &mut dyn io::Write,
) -> Result<Summary, Screen> {
    let settings = &verified.settings;
    let step = |error: node::NodeError| error.screen();
    node::place_binary(&own).map_err(step)?;
    node::make_places(settings.node.sidecar_uid).map_err(step)?;
    let files: Vec<(&str, &[u8])> = verified.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    node::place_verified(&files).map_err(step)?;
    let script = args.script_digest.as_deref().unwrap_or("").as_bytes();
    node::place_verified(&[(SCRIPT_DIGEST, script), (paths::BINARY_DIGEST, own.digest.as_bytes())]).map_err(step)?;
    drop(own);
    let credentials = longhorn_sys::memfd::hold(&gather_secrets(settings)?.encode())
        .map_err(|error| failed("cannot hold the credentials in memory", error))?;
    let hints = node::hints(env_names::HINTS);
    let lease_most = verified.policy.lifetimes.lease.max(Duration::from_secs(1));
    let observe = verified.policy.enforcement == Enforcement::Observe;
    let starting = node::Starting {
        credentials: &credentials,
        uid: settings.node.sidecar_uid,
        lease_most,
        hints: &hints,
        until: clock.boot().plus(settings.node.deadline),
        observe,
        // A node that observes locks nobody: nobody could be let through.
        registry_port: settings.registry.as_ref().filter(|_| !observe).map(|registry| registry.port),
    };
    let (keeper, key) = started(&starting, clock)?;
    drop(credentials);
    publish_node_key(settings, &key)?;
    let (token, receipt) = granted(&keeper, settings, clock)?;
    let claims =
        open(&Unverified::new(token.as_bytes()), &Voucher::NodeKey(&key), super::AUDIENCE, clock.now(), Expiry::Enforced)
            .map_err(|refusal| refusal.screen())?;
    let observes = claims.enforcement == "observe";
    let locked = if observes { observe_node } else { lock_node }(verified, &claims, &receipt);
    let locked = match locked {
        Ok(locked) => locked,
        Err(mut screen) => {
            screen.entry = not_locked(&keeper, &screen);
            return Err(screen);
        }
    };
    let line = format!(
        "longhorn: {}: {} as {} in scope {}",
        if observes { "observing".to_owned() } else { format!("locked ({})", locked.strength()) },
        claims.sub,
        claims.run_as.name,
        claims.scope
    );
    send(&keeper, &locked.message)?;
    let entry = match hear(&keeper, settings, clock)? {
        FromSidecar::Ready { entry } => entry,
        other => {
            return Err(
                screen(other).unwrap_or_else(|| astray("the sidecar does not make sense", io::ErrorKind::InvalidData.into()))
            );
        }
    };
    spark_drop_in(settings, &claims)?;
    if settings.mlflow.plugin {
        let sites = mlflow::sites(&locked.programs, &settings.mlflow.environments);
        for line in mlflow::place(&sites, Path::new(paths::PLUGIN)) {
            let _ = writeln!(talk, "{line}");
        }
    }
    commit(&keeper)?;
    place(Path::new(FINISHED), mark.as_bytes()).map_err(|error| failed("cannot write that this run is finished", error))?;
    Ok(Summary { line: format!("{line} (record {entry})") })
}

fn failed(what: &str, cause: io::Error) -> Screen {
    Screen::failed("init-failed", Exit::Os, what).met(cause)
}

/// A directory on a mounted file system is written by root; one in a volume by the agent's principal, through the sidecar.
fn publish_node_key(settings: &Settings, key: &NodePublicKey) -> Result<(), Screen> {
    let Authority::Published { directory } = &settings.authority else { return Ok(()) };
    if directory.starts_with("/Volumes") {
        return Ok(());
    }
    let path = directory.join(format!("{}.jwk", key.thumbprint()));
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
        io::Write::write_all(&mut file, key.to_jwk().as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| {
        Screen::failed("node-key-not-published", Exit::Os, "the node key cannot be published")
            .fact("file", path.display())
            .fact("expected", "a directory that root may make a new file in")
            .fact("presented", error)
            .hint("verifiers find it there; the directory must exist and be write-once")
    })
}

fn spark_drop_in(settings: &Settings, claims: &Claims) -> Result<(), Screen> {
    match &settings.node.spark_conf {
        Some(directory) if directory.is_dir() => place(&directory.join("00-longhorn.conf"), spark_conf(claims).as_bytes())
            .map_err(|error| failed("cannot write the Spark configuration", error)),
        _ => Ok(()),
    }
}
