//! `longhorn authority`: makes signing keys, and certifies node keys.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::args::{AuthorityArgs, AuthorityCertifyArgs, AuthorityCommand, AuthorityNewArgs};
use super::terminal::{Terminal, closed};
use crate::config::document::read_data;
use crate::context::{AuthorityKey, KeyError, NodeKey, NodePublicKey, parse_seed, render_seed};
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::random::Random;
use crate::screen::Screen;

/// Runs `longhorn authority`.
pub fn run(args: &AuthorityArgs, clock: &dyn Clock, random: &dyn Random, terminal: &mut Terminal<'_>) -> Exit {
    let line = match &args.command {
        AuthorityCommand::New(new) => make(new, random),
        AuthorityCommand::Certify(certify_args) => certify(certify_args, clock),
    };
    let written = line.and_then(|line| writeln!(terminal.out, "{line}").map_err(closed));
    written.map_or_else(|screen| terminal.show(&screen), |()| Exit::Ok)
}

fn make(args: &AuthorityNewArgs, random: &dyn Random) -> Result<String, Screen> {
    let seed = NodeKey::draw_seed(random);
    let key = NodeKey::from_seed(&seed).map_err(|error| unusable(Exit::Internal, &error))?;
    let unwritable = |error: std::io::Error| {
        Screen::failed("key-not-written", Exit::Os, "the key cannot be written")
            .fact("file", args.key.display())
            .fact("expected", "a place for a new file")
            .fact("presented", error)
            .hint("an existing key is never overwritten")
    };
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.key).map_err(unwritable)?;
    file.write_all(render_seed(&seed).as_bytes()).and_then(|()| file.sync_all()).map_err(unwritable)?;
    Ok(format!("ed25519:{}", STANDARD.encode(key.public().as_bytes())))
}

fn certify(args: &AuthorityCertifyArgs, clock: &dyn Clock) -> Result<String, Screen> {
    let authority = AuthorityKey::from_seed(&*seed(&args.key)?).map_err(|error| unusable(Exit::Data, &error))?;
    let node = NodePublicKey::from_jwk(&read_data(&args.node_key)?).map_err(|error| not_a_node_key(&args.node_key, &error))?;
    Ok(authority.certify(&node, clock.now(), Duration::from_secs(u64::from(args.hours) * 3600)).as_str().to_owned())
}

/// A seed that makes no key.
pub(super) fn unusable(exit: Exit, error: &KeyError) -> Screen {
    Screen::failed("key-unusable", exit, "no key can be made of this seed")
        .fact("expected", "32 bytes that make an Ed25519 key")
        .fact("presented", error)
}

/// A file that should hold a node's public key.
pub(super) fn not_a_node_key(path: &Path, error: &KeyError) -> Screen {
    Screen::failed("node-key-malformed", Exit::Data, "this is not a node's public key")
        .fact("file", path.display())
        .fact("expected", "a JWK with kty OKP, crv Ed25519 and x (RFC 8037)")
        .fact("presented", error)
        .hint("`longhorn init` publishes it as <thumbprint>.jwk in the directory that the settings name")
}

/// The seed in a key file.
pub(super) fn seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, Screen> {
    let bytes = Zeroizing::new(read_data(path)?);
    parse_seed(&bytes).ok_or_else(|| {
        Screen::failed("key-malformed", Exit::Data, "this is not a key file")
            .fact("file", path.display())
            .fact("expected", "longhorn-key-v1 <base64 of 32 bytes>")
            .fact("presented", "something else")
            .hint("make one with `longhorn authority new`")
    })
}
