//! Becoming the keeper: what it opens, in order, before it keeps.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::time::Duration;

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::prctl::set_dumpable;

use crate::cli::args::KeeperArgs;
use crate::config::env_names;
use crate::context::NodeKey;
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::paths;
use crate::host::random::Random;
use crate::serve::keeper::{Ended, Holdings, keep};
use crate::serve::publish::Lease;
use crate::wire::control::HELLO;
use crate::wire::{lease, packet};

/// Runs the keeper until it ends. Nothing is printed: `init` sees a keeper that could not start as a closed socket.
pub fn run(args: &KeeperArgs, clock: &dyn Clock, random: &dyn Random) -> Exit {
    match become_keeper(args, clock, random) {
        Ok(Ended::Asked) => Exit::Ok,
        Ok(Ended::Abandoned) | Err(_) => Exit::Os,
    }
}

fn become_keeper(args: &KeeperArgs, clock: &dyn Clock, random: &dyn Random) -> io::Result<Ended> {
    let init = longhorn_sys::inherited::take(args.control)?;
    let verdict = longhorn_sys::inherited::take(args.verdict)?;
    let credentials = longhorn_sys::inherited::take(args.credentials)?;
    // A session of its own: what ends init's terminal or process group does not end the keeper.
    nix::unistd::setsid()?;
    // No core, no ptrace by a process of the same uid, /proc/self owned by root.
    set_dumpable(false)?;
    // The last to go when memory runs out, and the sidecar with it. Where that is refused, a node can lose its lease so.
    let _ = std::fs::write("/proc/self/oom_score_adj", "-1000");
    let _alive = stand_up()?;
    let api = OwnedFd::from(open_to_all(UnixListener::bind(paths::SOCKET_API)?, paths::SOCKET_API)?);
    let launch = OwnedFd::from(open_to_all(UnixDatagram::bind(paths::SOCKET_LAUNCH)?, paths::SOCKET_LAUNCH)?);
    let registry = args.registry_port.map(|port| {
        let socket = open_to_all(UnixListener::bind(paths::SOCKET_REGISTRY)?, paths::SOCKET_REGISTRY)?;
        Ok::<_, io::Error>([TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.into(), socket.into()])
    });
    let registry = registry.transpose()?;
    let seed = NodeKey::draw_seed(random);
    let public = NodeKey::from_seed(&seed).map_err(io::Error::other)?.public().clone();
    let node_key = longhorn_sys::memfd::hold(seed.as_ref())?;
    drop(seed);
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let boot = lease::parse_boot_id(&boot).ok_or(io::ErrorKind::InvalidData)?;
    let lease = Lease::create(&boot)?;
    packet::put(&init, &[&[HELLO], &public.as_bytes()[..]].concat())?;
    keep(
        Holdings {
            init,
            verdict: Some(verdict),
            node_key,
            credentials,
            api,
            launch,
            registry,
            lease,
            lease_most: Duration::from_secs(args.lease_most),
            uid: args.uid,
            observe: args.observe,
            hints: super::node::hints(env_names::HINTS),
        },
        clock,
    )
}

/// Holds a write lock on the keeper's file for as long as this process lives: not inherited by children, and not to be had
/// by whoever may only read it (fcntl(2), F_SETLK).
fn stand_up() -> io::Result<std::fs::File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o644).open(paths::KEEPER)?;
    fcntl(&file, FcntlArg::F_SETLK(&longhorn_sys::process::whole_file_lock(nix::libc::F_WRLCK)))?;
    // For people; whoever asks for us asks the kernel.
    file.set_len(0)?;
    writeln!(&file, "{}", std::process::id())?;
    Ok(file)
}

/// Every process may connect; who it is decides what it hears.
fn open_to_all<S: AsRawFd>(socket: S, path: &str) -> io::Result<S> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
    Ok(socket)
}
