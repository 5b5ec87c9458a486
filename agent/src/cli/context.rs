//! `longhorn context`: shows this node's context to a person; `verify` checks a token offline.

use std::io::Read;
use std::path::Path;

use super::args::{ContextArgs, ContextCommand, ContextVerifyArgs};
use super::terminal::{Terminal, closed};
use crate::context::seal::{Expiry, MOST, Voucher, open};
use crate::context::{AuthorityPublicKey, Claims, NodePublicKey};
use crate::exit::Exit;
use crate::host::clock::{Clock, Timestamp};
use crate::host::{named, paths};
use crate::identity::GotWith;
use crate::screen::{Screen, one_line};
use crate::unverified::Unverified;

/// Runs `longhorn context`.
pub fn run(args: &ContextArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Exit {
    let result = match &args.command {
        None => show(args.json, clock, terminal),
        Some(ContextCommand::Verify(verify_args)) => verify(verify_args, args.json, clock, terminal),
    };
    result.unwrap_or_else(|screen| terminal.show(&screen))
}

fn show(json: bool, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let text = read(Path::new(paths::CONTEXT_JSON))?;
    let claims: Claims = serde_json::from_slice(&text).map_err(|_| {
        Screen::failed("context-malformed", Exit::Data, "this node's context file is not a context")
            .fact("file", paths::CONTEXT_JSON)
            .fact("expected", "the claims of a context")
            .fact("presented", "something else")
            .hint("it was written by something else than Longhorn; restart the cluster")
    })?;
    let shown = if json { terminal.out.write_all(&text) } else { write!(terminal.out, "{}", render(&claims, clock.now())) };
    shown.map(|()| Exit::Ok).map_err(closed)
}

fn verify(args: &ContextVerifyArgs, json: bool, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let token = if args.token.as_os_str() == "-" { read_from(std::io::stdin().lock(), &args.token)? } else { read(&args.token)? };
    let expiry = if args.expired { Expiry::Ignored } else { Expiry::Enforced };
    let refused = |refusal: crate::context::seal::ContextRefusal| refusal.screen();
    let vouched = match (&args.authority, &args.issuer_keys) {
        (Some(authority), _) => Some(vec![authority_key(authority)?]),
        (None, Some(path)) => Some(issuer_keys(path)?),
        (None, None) => None,
    };
    let claims = match (&vouched, &args.node_key) {
        (Some(keys), _) => {
            open(&Unverified::new(&token[..]), &Voucher::Authority(keys), &args.audience, clock.now(), expiry).map_err(refused)?
        }
        (None, Some(path)) => {
            let key = NodePublicKey::from_jwk(&read(path)?).map_err(|error| super::authority::not_a_node_key(path, &error))?;
            open(&Unverified::new(&token[..]), &Voucher::NodeKey(&key), &args.audience, clock.now(), expiry).map_err(refused)?
        }
        (None, None) => {
            return Err(Screen::failed("no-voucher", Exit::Usage, "nothing says whose context this must be")
                .fact("expected", "--node-key, --authority or --issuer-keys")
                .fact("presented", "none of them")
                .hint("give one of them"));
        }
    };
    let now = clock.now();
    let shown = if json {
        let text = serde_json::to_string(&claims).expect("claims are strings, numbers and lists of them");
        writeln!(terminal.out, "{text}")
    } else {
        let state = match (now >= Timestamp::from_seconds(claims.exp), expiry) {
            (true, _) => "VALID WHEN ISSUED, expired since",
            (false, Expiry::Ignored) => "VALID WHEN ISSUED",
            (false, Expiry::Enforced) => "VALID",
        };
        write!(terminal.out, "{state}\n{}", render(&claims, now))
    };
    shown.map(|()| Exit::Ok).map_err(closed)
}

/// An authority's public key, or the file that holds it.
pub(super) fn authority_key(given: &str) -> Result<AuthorityPublicKey, Screen> {
    let written = given.starts_with("ed25519:");
    let malformed = |_| {
        let screen = Screen::failed("authority-key-malformed", Exit::Data, "this is not an authority's public key");
        let screen = if written { screen } else { screen.fact("file", given) };
        screen
            .fact("expected", "ed25519:<base64 of 32 bytes>, or a file that holds it")
            .fact("presented", "something else")
            .hint("`longhorn authority new` prints it")
    };
    if written {
        return AuthorityPublicKey::parse(given).map_err(malformed);
    }
    let text = read(Path::new(given))?;
    AuthorityPublicKey::parse(&String::from_utf8_lossy(&text)).map_err(malformed)
}

/// An issuer's keys.
pub(super) fn issuer_keys(path: &Path) -> Result<Vec<AuthorityPublicKey>, Screen> {
    AuthorityPublicKey::of_key_set(&read(path)?).map_err(|error| {
        Screen::failed("issuer-keys-malformed", Exit::Data, "this is not an issuer's key set")
            .fact("file", path.display())
            .fact("expected", "a JSON Web Key Set with an Ed25519 key (RFC 7517, RFC 8037)")
            .fact("presented", error)
            .hint("the issuer publishes it at /.well-known/jwks.json")
    })
}

/// Every node key of a directory that they are published in.
pub(super) fn published_keys(directory: &Path) -> Result<Vec<NodePublicKey>, Screen> {
    let mut keys = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|error| unreadable(directory, &error))? {
        let path = entry.map_err(|error| unreadable(directory, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "jwk") {
            let key = NodePublicKey::from_jwk(&read(&path)?).map_err(|error| super::authority::not_a_node_key(&path, &error))?;
            keys.push(key);
        }
    }
    Ok(keys)
}

fn read(path: &Path) -> Result<Vec<u8>, Screen> {
    read_from(named::open(path).map_err(|error| unreadable(path, &error))?, path)
}

fn read_from(from: impl Read, path: &Path) -> Result<Vec<u8>, Screen> {
    let mut bytes = Vec::new();
    from.take(MOST as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Screen {
    let hint = if path == Path::new(paths::CONTEXT_JSON) {
        "this node is not locked; see `longhorn status`"
    } else {
        "check the path and who may read it"
    };
    Screen::failed("file-unreadable", Exit::NoInput, "a file cannot be read")
        .fact("file", path.display())
        .fact("expected", "a file that can be read")
        .fact("presented", error)
        .hint(hint)
}

/// Rows of label and value, one screen.
fn render(claims: &Claims, now: Timestamp) -> String {
    let mut rows: Vec<(&str, String)> =
        vec![("subject", claims.sub.clone()), ("workspace", claims.iss.trim_start_matches("longhorn:").to_owned())];
    rows.push(("cluster", claims.cluster.clone()));
    rows.push(("node", format!("{} ({}, {})", claims.node.address, claims.node.role, claims.membership)));
    if let Some(job) = &claims.job {
        rows.push(("job, run", format!("{}, {}", job.id, job.run)));
    }
    rows.push(("run as", format!("{} ({})", claims.run_as.name, claims.run_as.kind)));
    rows.push(("roles", claims.roles.join(", ")));
    rows.push(("scope", claims.scope.clone()));
    rows.push(("may", claims.permissions.join(", ")));
    rows.push(("clearance", if claims.clearance.is_empty() { "none".to_owned() } else { claims.clearance.join(", ") }));
    rows.push(("environment", claims.environment.clone()));
    let strength = claims.lock.as_ref().map_or("not yet in place", |lock| lock.strength.as_str());
    rows.push(("lock", format!("{strength} ({})", claims.enforcement)));
    if !claims.open.is_empty() {
        rows.push(("open", claims.open.join(", ")));
    }
    rows.push(("policy", format!("serial {}, sha256 {}", claims.policy.serial, claims.policy.digest)));
    for proof in &claims.proofs {
        // What is as usual is not said.
        let cloud = if proof.got_with == GotWith::CloudToken.word() { ", with a cloud's token" } else { "" };
        rows.push(("proof", format!("{} by {} (for the {}{cloud})", proof.kind, proof.voucher, proof.speaks_for)));
    }
    let left = Timestamp::from_seconds(claims.exp).since(now).as_secs();
    rows.push((
        "valid",
        format!("{} until {} ({left} s left)", Timestamp::from_seconds(claims.nbf), Timestamp::from_seconds(claims.exp)),
    ));
    rows.iter().map(|(label, value)| format!("{label:11} {}\n", one_line(value))).collect()
}
