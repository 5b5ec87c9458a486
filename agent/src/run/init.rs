//! `longhorn init`: returns only when the lock is in place, else non-zero with nothing half-done left behind. Killed at
//! any instant and run again, it comes to the same result: every run first undoes what an unfinished one left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::node::{self, Keeper};
use crate::cli::args::InitArgs;
use crate::config::document::{as_text, read_bytes};
use crate::config::settings::{Authority, SecretSource, Settings, WorkspaceAuth};
use crate::config::{bind, env_names, read_settings, signature};
use crate::context::seal::{Expiry, Voucher, open};
use crate::context::variables::{injected, spark_conf};
use crate::context::{Claims, NodePublicKey};
use crate::decision::environment::Environment;
use crate::decision::policy::Policy;
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::digest::sha256_hex;
use crate::host::paths;
use crate::host::random::{Random, SystemRandomness};
use crate::identity::ids::Label;
use crate::lock::cover::{self, Means};
use crate::lock::sealed::{Seal, digest_of, seal};
use crate::lock::{NodeFacts, Plan, PlanError, Strength, canary, namespace, needed, plan};
use crate::record::pseudonym;
use crate::screen::Screen;
use crate::serve::publish::place;
use crate::unverified::Unverified;
use crate::wire::control::{HELLO, KEPT, ToKeeper};
use crate::wire::credentials::Credentials;
use crate::wire::lease::{self, parse_boot_id};
use crate::wire::packet;
use crate::wire::verdict::{FromInit, FromSidecar, screen};

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

/// Documents as read and verified.
struct Verified {
    settings: Settings,
    policy: Policy,
    files: Vec<(String, Vec<u8>)>,
}

/// Attests this node and locks it; what is more than a screen, every problem of the settings, goes to `talk`.
///
/// # Errors
/// The screen of the refusal or failure; nothing half-done is left.
pub fn run(args: &InitArgs, clock: &dyn Clock, talk: &mut dyn io::Write) -> Result<Summary, Screen> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Screen::failed("not-root", Exit::Os, "`longhorn init` must run as root")
            .hint("the platform runs init scripts as root"));
    }
    // The directories that launchers look into are for every caller to read, whatever the init script's umask.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    let verified = verify(args, clock, talk)?;
    let _alone = node::alone().map_err(|error| error.screen())?;
    let mark = sha256_hex(format!("{} {} {}", verified.settings.digest, verified.policy.digest, own_digest()?).as_bytes());
    if finished(&mark, clock) {
        return Ok(Summary { line: "longhorn: already locked: this node runs under these very settings and policy".into() });
    }
    undo(clock)?;
    let outcome = install(args, &verified, &mark, clock);
    if outcome.is_err() {
        // The first screen is the one that matters; what an undo could not undo, the next run tries again.
        let _ = undo(clock);
    }
    outcome
}

/// Settings, policy and signature, verified before anything on the node is touched.
fn verify(args: &InitArgs, clock: &dyn Clock, talk: &mut dyn io::Write) -> Result<Verified, Screen> {
    let path = &args.settings;
    let bytes = read_bytes(path)?;
    let settings = read_settings(&path.display().to_string(), as_text(path, &bytes)?).map_err(|problems| {
        // Talk: nobody listening is no reason to go on.
        let _ = write!(talk, "{problems}");
        problems.screen("settings-problems", "the settings have problems")
    })?;
    if let Authority::Key { accept_on_cluster: false, .. } = settings.authority
        && std::env::var_os(env_names::CLUSTER_ID).is_some()
    {
        return Err(Screen::refused(
            "authority-key-on-cluster",
            Exit::Config,
            "an authority key on a cluster is for laboratories",
        )
        .fact("expected", "authority.kind = \"published\"")
        .fact("presented", "authority.kind = \"key\"")
        .hint("whoever may attach to the cluster may read that key; `accept-on-cluster = true` accepts it in so many words"));
    }
    let policy_path = if settings.policy.file.is_absolute() {
        settings.policy.file.clone()
    } else {
        path.with_file_name(&settings.policy.file)
    };
    let policy_bytes = read_bytes(&policy_path)?;
    let signature_bytes = read_bytes(&signature::beside(&policy_path))?;
    let policy =
        signature::verify(&policy_path, &policy_bytes, &signature_bytes, &settings.policy, &settings.workspace.host, clock.now())
            .map_err(|refusal| refusal.screen())?;
    bind(&settings, &policy).map_err(|refusal| refusal.screen())?;
    let files = vec![
        (paths::SETTINGS.to_owned(), bytes),
        (paths::POLICY.to_owned(), policy_bytes),
        (format!("{}.sig", paths::POLICY), signature_bytes),
    ];
    Ok(Verified { settings, policy, files })
}

fn own_digest() -> Result<String, Screen> {
    fs::read("/proc/self/exe")
        .map(|bytes| sha256_hex(&bytes))
        .map_err(|error| Screen::failed("node-step-failed", Exit::Os, "cannot read this very program").fact("cause", error))
}

/// A finished installation of the same documents by the same program, whose keeper lives and whose lease runs.
fn finished(mark: &str, clock: &dyn Clock) -> bool {
    let boot = node::boot_id().ok().and_then(|text| parse_boot_id(&text));
    let runs =
        boot.is_some_and(|boot| fs::read(paths::LEASE).is_ok_and(|bytes| lease::check(&bytes, &boot, clock.boot()).is_ok()));
    runs && node::keeper_lives() && fs::read_to_string(FINISHED).is_ok_and(|text| text == mark)
}

/// Takes everything away but the record: alone, because an `init` that still builds would have its ground taken away.
///
/// # Errors
/// When another run is at work, or something cannot be taken away.
pub fn uninstall(clock: &dyn Clock) -> Result<(), Screen> {
    let _alone = node::alone().map_err(|error| error.screen())?;
    undo(clock)
}

/// Safe at any state of the node, any number of times.
fn undo(clock: &dyn Clock) -> Result<(), Screen> {
    let failed = |error: &dyn std::error::Error| {
        let screen = Screen::failed("undo-failed", Exit::Os, error.to_string());
        error.source().into_iter().fold(screen, |screen, cause| screen.fact("cause", cause))
    };
    node::end_keeper(clock, Duration::from_secs(12)).map_err(|error| error.screen())?;
    cover::uninstall().map_err(|error| failed(&error))?;
    namespace::unpin();
    node::remove_run().map_err(|error| error.screen())?;
    cover::remove_real().map_err(|error| failed(&error))?;
    for path in [paths::CANARIES, paths::LAUNCHERS] {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&error)),
            _ => {}
        }
    }
    Ok(())
}

fn install(args: &InitArgs, verified: &Verified, mark: &str, clock: &dyn Clock) -> Result<Summary, Screen> {
    let settings = &verified.settings;
    let step = |error: node::NodeError| error.screen();
    node::place_binary().map_err(step)?;
    node::make_places(settings.node.sidecar_uid).map_err(step)?;
    let files: Vec<(&str, &[u8])> = verified.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    node::place_verified(&files).map_err(step)?;
    node::place_verified(&[(SCRIPT_DIGEST, args.script_digest.as_deref().unwrap_or("").as_bytes())]).map_err(step)?;
    let credentials = longhorn_sys::memfd::hold(&gather_secrets(settings)?.encode())
        .map_err(|error| failed("cannot hold the credentials in memory", error))?;
    let hints = node::hints(env_names::HINTS);
    let lease_most = verified.policy.lifetimes.lease.max(Duration::from_secs(1));
    let keeper = node::start_keeper(&credentials, settings.node.sidecar_uid, lease_most, &hints).map_err(step)?;
    drop(credentials);
    let key = node_key(&keeper)?;
    publish_node_key(settings, &key)?;
    let (token, receipt) = granted(&keeper, settings)?;
    let claims =
        open(&Unverified::new(token.as_bytes()), &Voucher::NodeKey(&key), super::AUDIENCE, clock.now(), Expiry::Enforced)
            .map_err(|refusal| refusal.screen())?;
    let locked = if claims.enforcement == "observe" { Ok(observed()) } else { lock_node(verified, &claims, &receipt) };
    let locked = match locked {
        Ok(locked) => locked,
        Err(mut screen) => {
            screen.entry = not_locked(&keeper, &screen);
            return Err(screen);
        }
    };
    let line = format!(
        "longhorn: {}: {} as {} in scope {}",
        if claims.enforcement == "observe" { "observing".to_owned() } else { format!("locked ({})", locked.strength()) },
        claims.sub,
        claims.run_as.name,
        claims.scope
    );
    send(&keeper, &locked.message)?;
    let entry = match hear(&keeper, settings)? {
        FromSidecar::Ready { entry } => entry,
        other => {
            return Err(
                screen(other).unwrap_or_else(|| failed("the sidecar does not make sense", io::ErrorKind::InvalidData.into()))
            );
        }
    };
    spark_drop_in(settings, &claims)?;
    commit(&keeper)?;
    place(Path::new(FINISHED), mark.as_bytes()).map_err(|error| failed("cannot write", error))?;
    Ok(Summary { line: format!("{line} (record {entry})") })
}

/// Returns once launches are allowed and the context is published.
fn commit(keeper: &Keeper) -> Result<(), Screen> {
    packet::put(&keeper.control, &ToKeeper::Commit.encode()).map_err(|error| failed("the keeper is gone", error))?;
    let answer =
        packet::take(&keeper.control, Duration::from_secs(10)).map_err(|error| failed("the keeper does not answer", error))?;
    match answer.as_deref() {
        Some([KEPT]) => Ok(()),
        _ => Err(failed("the keeper could not publish the context and the lease", io::ErrorKind::BrokenPipe.into())),
    }
}

fn failed(what: &str, cause: io::Error) -> Screen {
    Screen::failed("init-failed", Exit::Os, what).fact("cause", cause)
}

fn gather_secrets(settings: &Settings) -> Result<Credentials, Screen> {
    let read = |source: &SecretSource| -> Result<Zeroizing<Vec<u8>>, Screen> {
        let SecretSource::File(path) = source;
        node::read_secret(path).map_err(|error| Screen {
            exit: Exit::NoInput,
            reason: "secret-unreadable".into(),
            ..error.screen()
        })
    };
    let mut credentials = Credentials::default();
    let (WorkspaceAuth::MachineToMachine { secret, .. } | WorkspaceAuth::Token { secret }) = &settings.workspace.auth;
    credentials.insert("workspace", read(secret)?);
    for token in &settings.tokens {
        credentials.insert(format!("oidc:{}", token.name), read(&token.token)?);
    }
    if let Authority::Key { secret, .. } = &settings.authority {
        credentials.insert("authority", read(secret)?);
    }
    let pseudonym = match &settings.record.pseudonym_key {
        Some(source) => read(source)?,
        // One for the boot: a sidecar that is started again gives the same person the same pseudonym.
        None => {
            let mut drawn = Zeroizing::new(vec![0u8; pseudonym::LEAST]);
            SystemRandomness.fill(&mut drawn);
            drawn
        }
    };
    credentials.insert("pseudonym", pseudonym);
    Ok(credentials)
}

/// The files that the agent's secrets come from: out of every job's sight, whatever the policy grants around them.
fn secret_files(settings: &Settings) -> Vec<PathBuf> {
    let (WorkspaceAuth::MachineToMachine { secret, .. } | WorkspaceAuth::Token { secret }) = &settings.workspace.auth;
    let authority = match &settings.authority {
        Authority::Key { secret, .. } => Some(secret),
        Authority::Published { .. } => None,
    };
    let tokens = settings.tokens.iter().map(|token| &token.token);
    let all = std::iter::once(secret).chain(tokens).chain(authority).chain(&settings.record.pseudonym_key);
    all.map(|SecretSource::File(path)| path.clone()).collect()
}

fn node_key(keeper: &Keeper) -> Result<NodePublicKey, Screen> {
    let hello =
        packet::take(&keeper.control, Duration::from_secs(10)).map_err(|error| failed("the keeper does not start", error))?;
    let key =
        hello.as_deref().and_then(|bytes| bytes.strip_prefix(&[HELLO])).and_then(|bytes| NodePublicKey::from_bytes(bytes).ok());
    key.ok_or_else(|| failed("the keeper did not start", io::ErrorKind::BrokenPipe.into()))
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
            .fact("cause", error)
            .hint("verifiers find it there; the directory must exist and be write-once")
    })
}

fn hear(keeper: &Keeper, settings: &Settings) -> Result<FromSidecar, Screen> {
    let silent = |cause: io::Error| {
        let screen = match cause.kind() {
            io::ErrorKind::TimedOut => Screen::failed("deadline", Exit::Unavailable, "there was no verdict before the deadline"),
            _ => Screen::failed("sidecar-died", Exit::Internal, "the sidecar ended without a verdict"),
        };
        screen
            .fact("deadline", format!("{} s", settings.node.deadline.as_secs()))
            .hint("the record under /var/lib/longhorn/log says how far it came")
    };
    let bytes = packet::take(&keeper.verdict, settings.node.deadline)
        .map_err(silent)?
        .ok_or_else(|| silent(io::ErrorKind::BrokenPipe.into()))?;
    serde_json::from_slice(&bytes).map_err(|error| failed("the sidecar does not make sense", error.into()))
}

fn granted(keeper: &Keeper, settings: &Settings) -> Result<(String, String), Screen> {
    match hear(keeper, settings)? {
        FromSidecar::Granted { token, receipt } => Ok((token, receipt)),
        other => {
            Err(screen(other).unwrap_or_else(|| failed("the sidecar does not make sense", io::ErrorKind::InvalidData.into())))
        }
    }
}

fn send(keeper: &Keeper, message: &FromInit) -> Result<(), Screen> {
    let bytes = serde_json::to_vec(message).map_err(|error| failed("cannot speak", error.into()))?;
    packet::put(&keeper.verdict, &bytes).map_err(|error| failed("the sidecar is gone", error))
}

/// Puts it on record that the node could not be locked.
fn not_locked(keeper: &Keeper, screen: &Screen) -> Option<u64> {
    let detail = screen.facts.iter().map(|(label, value)| format!("{label}: {value}")).collect::<Vec<_>>().join("; ");
    send(keeper, &FromInit::NotLocked { reason: screen.reason.to_string(), detail }).ok()?;
    let bytes = packet::take(&keeper.verdict, Duration::from_secs(5)).ok()??;
    match serde_json::from_slice(&bytes).ok()? {
        FromSidecar::Stopped { entry, .. } => entry,
        FromSidecar::Granted { .. } | FromSidecar::Ready { .. } => None,
    }
}

struct LockedNode {
    message: FromInit,
}

impl LockedNode {
    fn strength(&self) -> &str {
        match &self.message {
            FromInit::Locked { strength, .. } => strength,
            FromInit::NotLocked { .. } => "none",
        }
    }
}

/// Under observe nothing but the context is injected, and the context says so.
fn observed() -> LockedNode {
    LockedNode {
        message: FromInit::Locked {
            digest: String::new(),
            strength: "none".into(),
            open: vec!["observe".into()],
            report: "{}".into(),
        },
    }
}

/// Plans, builds, covers, seals. The plan comes from the policy that this process verified; of the context it takes only
/// what the node key signed.
fn lock_node(verified: &Verified, claims: &Claims, receipt: &str) -> Result<LockedNode, Screen> {
    let environment = environment(&verified.policy, claims)?;
    let clearance = claims
        .clearance
        .iter()
        .map(|label| Label::try_from(label.as_str()))
        .collect::<Result<_, _>>()
        .map_err(|error| failed("the context does not make sense", io::Error::other(error)))?;
    let facts = NodeFacts::probe();
    let mut planned = plan(environment, &clearance, &injected(claims), &facts, verified.settings.node.sidecar_uid).map_err(
        |error| match error {
            PlanError::BelowFloor(below) => below.screen(),
            PlanError::GrantsOwn { .. } => Screen::refused("plan-undoes-lock", Exit::Config, error.to_string())
                .hint("such a rule would let the job undo its own lock"),
        },
    )?;
    planned.rules = needed(planned.rules, planned.landlock);
    planned.mask.extend(secret_files(&verified.settings));
    let chain = |error: &dyn std::error::Error| {
        let screen = Screen::failed("lock-not-installed", Exit::Os, error.to_string());
        error.source().into_iter().fold(screen, |screen, cause| screen.fact("cause", cause))
    };
    let canaries = canary::create(Path::new(paths::CANARIES), &planned.profile)
        .map_err(|error| failed("cannot make the canaries", error))?;
    let launcher = crate::launch::binary().map_err(|error| failed("cannot read the launcher", error))?;
    let means = if planned.mount { Means::Bind } else { Means::Rename };
    // Covered first: the namespace is a copy that must hold the covers. Until the lock is sealed every covered launch is
    // refused.
    let covered = cover::install(&planned.targets, &launcher, means).map_err(|error| chain(&error))?;
    if covered.targets.is_empty() {
        return Err(Screen::refused(
            "nothing-covered",
            Exit::RefusedFloor,
            "none of the programs that the policy covers is on this node",
        )
        .fact("expected one of", covered.absent.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))
        .hint("name the interpreters of this node as `targets` in the policy's environment"));
    }
    let built = if planned.mount { Some(namespace::build_and_pin(&planned).map_err(|error| chain(&error))?) } else { None };
    if let Some(built) = built.filter(|built| !built.without.is_empty()) {
        planned.strength = Strength::Degraded;
        planned.open.extend(built.without);
        planned.open.sort();
        planned.open.dedup();
    }
    // Sealed with every open way: a sidecar that is started again knows no more than the lock says.
    let sealed = seal_lock(&planned, receipt, &canaries, covered.targets.clone(), claims)?;
    let report = serde_json::json!({
        "strength": planned.strength.word(), "landlock": planned.landlock, "rules": planned.rules.len(), "filter": planned.filter.len(),
        "covered": covered.targets.iter().map(|target| target.real.display().to_string()).collect::<Vec<_>>(),
        "absent": covered.absent.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "by": match means { Means::Bind => "bind", Means::Rename => "rename" },
    });
    Ok(LockedNode {
        message: FromInit::Locked {
            digest: digest_of(&sealed),
            strength: planned.strength.word().into(),
            open: planned.open,
            report: report.to_string(),
        },
    })
}

fn environment<'a>(policy: &'a Policy, claims: &Claims) -> Result<&'a Environment, Screen> {
    let found = policy.environments.values().find(|environment| environment.name.as_str() == claims.environment);
    found.filter(|environment| environment.digest() == claims.environment_digest).ok_or_else(|| {
        failed("the context names an environment that this policy does not have", io::ErrorKind::InvalidData.into())
    })
}

fn seal_lock(
    plan: &Plan,
    receipt: &str,
    canaries: &canary::Canaries,
    targets: Vec<crate::lock::sealed::SealedTarget>,
    claims: &Claims,
) -> Result<Vec<u8>, Screen> {
    let boot = parse_boot_id(&claims.node.boot)
        .ok_or_else(|| failed("the context does not make sense", io::ErrorKind::InvalidData.into()))?;
    let pinned = |path: &str| plan.mount.then(|| PathBuf::from(path));
    let bytes = seal(
        plan,
        &Seal {
            boot,
            receipt: receipt.as_bytes().to_vec(),
            canary: canaries.denied.clone(),
            sibling: canaries.sibling.clone(),
            mount: pinned(paths::NAMESPACE_MOUNT),
            ipc: pinned(paths::NAMESPACE_IPC),
            targets,
        },
    );
    place(Path::new(paths::LOCK), &bytes).map_err(|error| failed("cannot write the sealed lock", error))?;
    Ok(bytes)
}

fn spark_drop_in(settings: &Settings, claims: &Claims) -> Result<(), Screen> {
    match &settings.node.spark_conf {
        Some(directory) if directory.is_dir() => place(&directory.join("00-longhorn.conf"), spark_conf(claims).as_bytes())
            .map_err(|error| failed("cannot write the Spark configuration", error)),
        _ => Ok(()),
    }
}
