//! `longhorn issue`: from settings and signed policy to an issuer that serves, or to what it would serve.

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::node_document::google;
use crate::cli::args::IssueArgs;
use crate::cli::terminal::Terminal;
use crate::config::document::{as_text, read_bytes};
use crate::config::issuer_settings::IssuerSettings;
use crate::config::{read_issuer_settings, signature};
use crate::decision::policy::Policy;
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::http::Http;
use crate::host::random::Random;
use crate::issuer::server::{Front, serve};
use crate::issuer::{Challenges, Counts, Desk, Office, Talk, Terms};
use crate::screen::Screen;

/// Runs `longhorn issue`.
pub fn run(args: &IssueArgs, clock: Arc<dyn Clock>, random: Arc<dyn Random>, terminal: &mut Terminal<'_>) -> Exit {
    issue(args, clock, random, terminal).unwrap_or_else(|screen| terminal.show(&screen))
}

fn issue(args: &IssueArgs, clock: Arc<dyn Clock>, random: Arc<dyn Random>, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    // What the store holds is nobody else's to read, whatever the caller's umask.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    let (settings, policy) = documents(args, &*clock, terminal)?;
    let tls = settings.listen.tls.as_ref().map(|(certificate, key)| acceptor(certificate, key)).transpose()?;
    let http = Http::new(settings.ca_file.as_deref()).map_err(|error| {
        Screen::failed_by("tls-setup-failed", Exit::Config, &error)
            .fact("expected", "root certificates in PEM, of the system or in `issuer.ca-file`")
    })?;
    let terms = Terms {
        issuer: settings.name.clone(),
        lifetime: settings.certificates.lifetime,
        period: settings.certificates.key_period,
        boots: settings.certificates.boots,
    };
    let desk = Desk::open(&settings.store, terms, clock.now(), &*random).map_err(|error| error.screen())?;
    if args.check {
        let written = writeln!(terminal.out, "{}", desk.keys_of(clock.now()).join("\n"));
        return written.map(|()| Exit::Ok).map_err(|error| not_served(&settings, &error));
    }
    let office = Office {
        desk: RefCell::new(desk),
        challenges: RefCell::new(Challenges::new(&*random)),
        google: google(&policy),
        policy_end: policy.not_after,
        trust: policy.trust,
        http,
        counts: Counts::default(),
        clock: clock.clone(),
        random,
    };
    let to: Box<dyn Write> = Box::new(std::io::stderr());
    let talk = RefCell::new(Talk::new(to, clock.boot()));
    let front = Rc::new(Front { office, talk, ended: tokio::sync::Notify::new() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build();
    let runtime = runtime.map_err(|error| not_served(&settings, &error))?;
    let ended = runtime.block_on(async {
        let listener = TcpListener::bind(settings.listen.address).await?;
        // Whoever started it learns the port, where the settings left it open.
        writeln!(terminal.out, "longhorn issue: {} listens on {}", settings.name, listener.local_addr()?)?;
        terminal.out.flush()?;
        serve(listener, tls, front).await
    });
    match ended.map_err(|error| not_served(&settings, &error))? {
        true => Ok(Exit::Ok),
        false => Err(Screen::failed("store-failed", Exit::Record, "the issuer's ledger could not be made durable")
            .fact("store", settings.store.display())
            .fact("expected", "a disk that makes it durable")
            .fact("presented", "one that does not")
            .hint("make room or mend the disk, and start it again: nothing was certified that is not on it")),
    }
}

fn documents(args: &IssueArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Result<(IssuerSettings, Policy), Screen> {
    let path = &args.settings;
    let bytes = read_bytes(path)?;
    let settings = read_issuer_settings(&path.display().to_string(), as_text(path, &bytes)?).map_err(|problems| {
        // Talk: nobody listening is no reason to go on.
        let _ = write!(terminal.err, "{problems}");
        problems.screen("settings-problems", "the settings have problems")
    })?;
    let file = match settings.policy.file.is_absolute() {
        true => settings.policy.file.clone(),
        false => path.with_file_name(&settings.policy.file),
    };
    let (bytes, signed) = (read_bytes(&file)?, read_bytes(&signature::beside(&file))?);
    let policy = signature::verify_for_every_workspace(&file, &bytes, &signed, &settings.policy, clock.now())
        .map_err(|refusal| refusal.screen())?;
    if policy.trust.node.is_none() {
        return Err(Screen::refused("issuer-without-node-trust", Exit::Config, "the policy trusts no cloud's word on a machine")
            .fact("expected", "a [trust.node] in the signed policy")
            .fact("presented", "none")
            .hint("it says whose machines may have a key certified; sign the policy again with it"));
    }
    Ok((settings, policy))
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Screen> {
    let unusable = |file: &Path, error: &dyn std::fmt::Display| {
        Screen::failed("tls-setup-failed", Exit::Config, "the issuer cannot speak TLS with its certificate")
            .fact("file", file.display())
            .fact("expected", "a chain and its private key, both in PEM")
            .fact("presented", error)
            .hint("`certificate` holds the server's own certificate first; `key` is PKCS#8, SEC1 or PKCS#1")
    };
    let chain = CertificateDer::pem_slice_iter(&read_bytes(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(certificate, &error))?;
    let private = zeroize::Zeroizing::new(read_bytes(key)?);
    let private = PrivateKeyDer::from_pem_slice(&private).map_err(|error| unusable(key, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| unusable(certificate, &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn not_served(settings: &IssuerSettings, error: &std::io::Error) -> Screen {
    Screen::failed("issuer-not-served", Exit::Os, "the issuer cannot serve")
        .fact("address", settings.listen.address)
        .fact("expected", "an address of this machine that nobody else listens on")
        .fact("presented", error)
        .hint("`address` of [listen] says where; ports below 1024 are root's")
}
