//! The agent's secrets: read by root from the files that the settings name, then held in memory alone.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config::settings::{Authority, SecretSource, Settings};
use crate::exit::Exit;
use crate::host::random::{Random, SystemRandomness};
use crate::host::secret::{Secret, printable};
use crate::record::pseudonym;
use crate::run::node;
use crate::screen::Screen;
use crate::wire::credentials::Credentials;

pub(super) fn gather_secrets(settings: &Settings) -> Result<Credentials, Screen> {
    let read = |source: &SecretSource| -> Result<Zeroizing<Vec<u8>>, Screen> {
        let SecretSource::File(path) = source;
        node::read_secret(path).map_err(|error| error.screen_of_secret())
    };
    let mut credentials = Credentials::default();
    if let Some(secret) = settings.workspace.auth.source() {
        let workspace = read(secret)?;
        // Asked where its file is still known; the sidecar that sends it knows the bytes alone.
        if Secret::new(&workspace).is_none() {
            let SecretSource::File(path) = secret;
            return Err(malformed("workspace.auth", path, &workspace));
        }
        credentials.insert("workspace", workspace);
    }
    for token in &settings.tokens {
        if let Some(source) = token.token.source() {
            credentials.insert(format!("oidc:{}", token.name), read(source)?);
        }
        if let Some(client) = &token.graph {
            credentials.insert(format!("graph:{}", token.name), read(client.proof.source())?);
        }
    }
    for assertion in &settings.assertions {
        credentials.insert(format!("saml:{}", assertion.name), read(&assertion.assertion)?);
    }
    if let Some(source) = settings.registry.as_ref().and_then(|registry| registry.auth.source()) {
        let SecretSource::File(path) = source;
        let secret = read(source)?;
        if Secret::new(&secret).is_none() {
            return Err(malformed("registry.auth", path, &secret));
        }
        credentials.insert("registry", secret);
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

/// Says where the first foreign byte lies, and nothing of what the file holds.
fn malformed(place: &str, path: &Path, bytes: &[u8]) -> Screen {
    let foreign = bytes.iter().position(|byte| !printable(*byte));
    Screen::failed("secret-malformed", Exit::Config, format!("the secret of `{place}` is empty or not printable ASCII"))
        .fact("file", path.display())
        .fact("expected", "one line of printable ASCII without blanks")
        .fact("presented", foreign.map_or_else(|| "nothing".to_owned(), |at| format!("another byte at {at}")))
        .hint("write the secret there again, as root: the client's secret or the token alone")
}

/// The files that the agent's secrets come from: out of every job's sight, whatever the policy grants around them.
pub(super) fn secret_files(settings: &Settings) -> Vec<PathBuf> {
    let secret = settings.workspace.auth.source();
    let authority = match &settings.authority {
        Authority::Key { secret, .. } => Some(secret),
        Authority::Published { .. } | Authority::Issuer { .. } => None,
    };
    let tokens = settings.tokens.iter().filter_map(|token| token.token.source());
    let graphs = settings.tokens.iter().filter_map(|token| token.graph.as_ref()).map(|client| client.proof.source());
    let assertions = settings.assertions.iter().map(|assertion| &assertion.assertion);
    let registry = settings.registry.as_ref().and_then(|registry| registry.auth.source());
    let secret = secret.into_iter().chain(registry);
    let all = secret.chain(tokens).chain(graphs).chain(assertions).chain(authority).chain(&settings.record.pseudonym_key);
    all.map(|SecretSource::File(path)| path.clone()).collect()
}
