//! Becoming the sidecar: takes over its descriptors, descends, walks the way for the first time, and serves.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use nix::sys::signal::{SigSet, Signal};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::certify::Certification;
use super::live::{Journal, live};
use super::sources::sources;
use super::{Way, inventory, scope};
use crate::cli::args::ServeArgs;
use crate::config::document::{as_text, read_bytes};
use crate::config::settings::{Authority, MembershipRule, RegistryAuth, Settings};
use crate::config::{read_settings, signature};
use crate::context::NodeKey;
use crate::decision::policy::Policy;
use crate::evidence::{Hints, Source};
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::http::{self, Http};
use crate::host::paths;
use crate::host::random::Random;
use crate::host::secret::Secret;
use crate::model::Gate;
use crate::record::append::newest;
use crate::record::event::RunContext;
use crate::record::journal::Mirror;
use crate::record::pseudonym::PseudonymKey;
use crate::record::verify::binding;
use crate::record::{Event, Recorder, Start};
use crate::screen::Screen;
use crate::serve::descend::{Reach, irrevocably_descend};
use crate::serve::gateway::{Credential, Gateway, Login, LoginQuestion, Upstream};
use crate::serve::sidecar::Sockets;
use crate::wire::credentials::Credentials;
use crate::wire::packet;
use crate::wire::verdict::FromSidecar;

/// No credentials file is longer.
const MOST_CREDENTIALS: usize = 256 * 1024;

/// Runs the sidecar until it ends. `init` hears why it could not start; nobody else does.
pub fn run(args: &ServeArgs, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Exit {
    let taken = (longhorn_sys::inherited::take(args.control), args.verdict.map(longhorn_sys::inherited::take).transpose());
    let (Ok(control), Ok(verdict)) = taken else { return Exit::Os };
    // Held until the verdict is said: the keeper ends a sidecar whose control socket is closed.
    let Ok(held) = control.try_clone() else { return Exit::Os };
    let exit = match become_sidecar(args, control, verdict.as_ref(), clock, random) {
        Ok(()) => Exit::Ok,
        Err(screen) => {
            if let Some(socket) = &verdict {
                // Nobody there to hear it: the keeper sees this process end.
                let _ = say(socket, &FromSidecar::stopped(&screen));
            }
            screen.exit
        }
    };
    drop(held);
    exit
}

pub(super) fn say(socket: &OwnedFd, message: &FromSidecar) -> io::Result<()> {
    packet::put(socket, &serde_json::to_vec(message)?)
}

pub(super) fn os(what: &'static str) -> impl FnOnce(io::Error) -> Screen {
    move |error| Screen::failed("sidecar-failed", Exit::Os, what).met(error)
}

fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

fn become_sidecar(
    args: &ServeArgs,
    control: OwnedFd,
    verdict: Option<&OwnedFd>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<(), Screen> {
    // Before anything secret is read: no core dump, no look into this memory by another process.
    nix::sys::prctl::set_dumpable(false).map_err(|errno| os("the sidecar cannot keep its memory to itself")(errno.into()))?;
    // The keeper reads its signals from a descriptor and has them blocked; a child inherits that.
    let mut term = SigSet::empty();
    term.add(Signal::SIGTERM);
    term.thread_unblock().map_err(|errno| os("the sidecar cannot hear signals")(errno.into()))?;
    let take = |number| longhorn_sys::inherited::take(number).map_err(os("the sidecar was started without its descriptors"));
    let samples = args.samples.map(take).transpose()?;
    let registry = args.registry.zip(args.holders);
    let registry = registry.map(|(listener, holders)| Ok((take(listener)?, take(holders)?))).transpose()?;
    let (api, launch) = (take(args.api)?, take(args.launch)?);
    let seed = Zeroizing::new(longhorn_sys::memfd::held(&take(args.node_key)?, 32).map_err(os("the node key cannot be read"))?);
    let credentials = Zeroizing::new(
        longhorn_sys::memfd::held(&take(args.credentials)?, MOST_CREDENTIALS).map_err(os("the credentials cannot be read"))?,
    );
    let credentials =
        Credentials::decode(credentials).map_err(|error| os("the credentials cannot be read")(io::Error::other(error)))?;
    let (settings, policy) = configuration(&*clock)?;
    // While root may still read it all.
    let agent = std::fs::read_to_string(paths::BINARY_DIGEST).map_err(os("the digest of the agent cannot be read"))?;
    let inventory = verdict.map(|_| inventory::take(&agent, &*clock));
    let seen = Seen { agent, processes: scope::of_this_process(), inventory };
    // Keys of other nodes that lie on a mounted file system; those in volumes are asked for.
    let keys = match &settings.authority {
        Authority::Published { directory } if registry.is_some() && !directory.starts_with("/Volumes") => Some(directory),
        _ => None,
    };
    let read = settings.workspace.ca_file.iter().chain(keys).cloned().collect();
    let reach = Reach { uid: args.uid, read };
    irrevocably_descend(&reach, &crate::lock::seccomp::for_sidecar())
        .map_err(|error| Screen::failed_by("sidecar-failed", Exit::Os, &error))?;
    let key: &[u8; 32] =
        seed.as_slice().try_into().map_err(|_| os("the node key cannot be read")(io::ErrorKind::InvalidData.into()))?;
    let node_key = || NodeKey::from_seed(key).map_err(|error| os("the node key cannot be used")(io::Error::other(error)));
    // One for contexts, and one for what the gateway signs.
    let (key, again) = (node_key()?, node_key()?);
    let policy = Rc::new(policy);
    let gate = Gate::new(policy.clone());
    let (way, mirror, journal) = way(&settings, policy, &credentials, key, &seen, clock, random)?;
    let gateway = match registry {
        None => None,
        Some((listener, holders)) => {
            let (upstream, logins) = upstream(&settings, &credentials, &way.clock)?;
            Some(Gateway { listener, holders, upstream, logins, key: again, gate, audience: super::AUDIENCE })
        }
    };
    drop(credentials);
    let sockets = Sockets { control, api, launch, samples, gateway };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build()
        .map_err(os("the sidecar cannot start"))?;
    runtime.block_on(live(way, &settings, sockets, verdict.zip(seen.inventory), Journal { mirror, state: journal }))
}

/// The registry of the settings, with the gateway's own credential; and the questions of its login, where it logs in.
fn upstream(
    settings: &Settings,
    credentials: &Credentials,
    clock: &Arc<dyn Clock>,
) -> Result<(Upstream, Option<mpsc::Receiver<LoginQuestion>>), Screen> {
    let failed = |error: &dyn std::error::Error| Screen::failed_by("registry-unusable", Exit::Config, error);
    let registry = settings.registry.as_ref().ok_or_else(|| failed(&io::Error::from(io::ErrorKind::InvalidData)))?;
    let secret = || {
        let secret = Secret::new(credentials.expose("registry").unwrap_or_default());
        secret.ok_or_else(|| failed(&io::Error::other("its secret is empty or not printable ASCII")))
    };
    let mut logins = None;
    let credential = match &registry.auth {
        RegistryAuth::None => Credential::None,
        RegistryAuth::Bearer(_) => Credential::Bearer(secret()?),
        RegistryAuth::Basic { user, .. } => Credential::Basic(user.clone(), secret()?),
        RegistryAuth::Workspace => {
            let (asks, questions) = mpsc::channel(1);
            logins = Some(questions);
            Credential::Login(Login::new(asks, clock.clone()))
        }
    };
    let tls = http::tls(settings.workspace.ca_file.as_deref()).map_err(|error| failed(&error))?;
    let upstream = Upstream::new(registry.origin.as_str(), tls, credential).map_err(|error| failed(&error))?;
    Ok((upstream, logins))
}

/// What only root sees of the node.
struct Seen {
    /// SHA-256 (hex) of the binary that runs, as `init` placed it.
    agent: String,
    /// What keeper and sidecar run under.
    processes: String,
    /// For the first sidecar of a node.
    inventory: Option<Event>,
}

/// Settings and policy as `init` verified and placed them; verified once more, because between two processes anything
/// is unverified again.
fn configuration(clock: &dyn Clock) -> Result<(Settings, Policy), Screen> {
    let (settings_path, policy_path) = (Path::new(paths::SETTINGS), Path::new(paths::POLICY));
    let bytes = read_bytes(settings_path)?;
    let settings = read_settings(paths::SETTINGS, as_text(settings_path, &bytes)?).map_err(|problems| {
        Screen::failed("settings-problems", Exit::Config, "the settings have problems")
            .fact("expected", "the settings that `longhorn init` verified")
            .fact("presented", format!("settings with {} problems", problems.len()))
            .hint("restart the cluster so that `longhorn init` places them again")
    })?;
    let policy = read_bytes(policy_path)?;
    let signed = read_bytes(Path::new(&format!("{}.sig", paths::POLICY)))?;
    let policy = signature::verify(policy_path, &policy, &signed, &settings.policy, &settings.workspace.host, clock.now())
        .map_err(|refusal| refusal.screen())?;
    Ok((settings, policy))
}

fn way(
    settings: &Settings,
    policy: Rc<Policy>,
    credentials: &Credentials,
    key: NodeKey,
    seen: &Seen,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<(Way, Option<Mirror>, String), Screen> {
    let hints = Hints::from_variables(|name| std::env::var(name).ok()).map_err(|error| {
        Screen::failed("not-a-cluster-node", Exit::Os, error.to_string())
            .fact("expected", "the DB_ variables that name cluster and node")
            .fact("presented", cause(&error))
            .hint("Longhorn runs from a cluster's init script, where the platform sets these")
    })?;
    let certification = Certification::of(settings, &policy, credentials, &key, &*clock)?;
    let pseudonyms = PseudonymKey::new(credentials.expose("pseudonym").unwrap_or_default()).ok_or_else(|| {
        Screen::failed(
            "pseudonym-key-short",
            Exit::Config,
            "the key of the pseudonyms is too short to keep names from being guessed",
        )
        .fact("expected", format!("at least {} bytes", crate::record::pseudonym::LEAST))
        .fact("presented", "fewer")
        .hint("write a longer one, or leave `record.pseudonym-key` out: then each boot draws its own")
    })?;
    let boot = super::node::boot_id().map_err(|error| error.screen())?;
    let (mirror, journal) = match settings.record.journal.then(Mirror::start) {
        None => (None, "off".to_owned()),
        Some(Ok((mirror, word))) => (Some(mirror), word.to_owned()),
        Some(Err(word)) => (None, word),
    };
    let recorder = start_log(settings, &hints, &key, seen, &boot, mirror.clone(), &journal, &clock, &random)?;
    let http = Http::new(settings.workspace.ca_file.as_deref()).map_err(|error| {
        Screen::failed("tls-setup-failed", Exit::Config, error.to_string())
            .fact("expected", "root certificates in PEM, of the system or in `workspace.ca-file`")
            .fact("presented", cause(&error))
    })?;
    let mut sources = sources(settings, &policy, credentials, hints, &key.public().thumbprint())?;
    sources.extend(super::node_document::source(settings, &policy, &key).map(Source::NodeDocument));
    let listed = settings.workspace.membership == MembershipRule::AtInit;
    // What is left after gathering goes to locking the node.
    let patience = settings.node.deadline * 3 / 4;
    Ok((
        Way { policy, sources, listed, http, patience, key, certification, pseudonyms, boot, recorder, clock, random },
        mirror,
        journal,
    ))
}

#[expect(clippy::too_many_arguments, reason = "the first record names everything that the log starts from")]
fn start_log(
    settings: &Settings,
    hints: &Hints,
    key: &NodeKey,
    seen: &Seen,
    boot: &str,
    mirror: Option<Mirror>,
    journal: &str,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
) -> Result<Recorder, Screen> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let directory = Path::new(paths::LOG);
    let prior = newest(directory);
    let host = settings.workspace.host.as_str().split("://").nth(1).unwrap_or_default().to_owned();
    let origin = format!("longhorn/{host}/{}/{}/{boot}", hints.cluster, hints.address);
    let run = RunContext {
        workspace: settings.workspace.host.to_string(),
        cluster: hints.cluster.to_string(),
        node: hints.address.to_string(),
        ..RunContext::default()
    };
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
    let script = std::fs::read_to_string(super::init::SCRIPT_DIGEST).unwrap_or_default().trim().to_owned();
    let first = |vkey: &str, origin: &str| Event::Started {
        vkey: vkey.to_owned(),
        origin: origin.to_owned(),
        node_key: key.public().thumbprint(),
        binding: STANDARD.encode(key.sign(binding(origin, vkey).as_bytes())),
        agent_sha256: seen.agent.clone(),
        settings_sha256: settings.digest.clone(),
        script_sha256: script,
        kernel,
        boot: boot.to_owned(),
        journal: journal.to_owned(),
        processes: seen.processes.clone(),
        prior,
    };
    let start = Start { origin, run, first: Box::new(first), mirror };
    Recorder::create(directory, start, clock.clone(), random.clone()).map_err(|error| {
        Screen::failed_by("record-failed", Exit::Record, &error).hint("is the disk under /var/lib/longhorn full or broken?")
    })
}
