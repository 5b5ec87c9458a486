//! `longhorn doctor --settings`: who would vouch for this node's key, and whether an issuer can be asked from here. Nothing is
//! certified by looking.

use std::path::Path;
use std::time::Duration;

use super::terminal::Terminal;
use crate::config::document::{as_text, read_bytes};
use crate::config::read_settings;
use crate::config::settings::{Authority, Settings};
use crate::context::AuthorityPublicKey;
use crate::host::http::{Answer, Credentials, Http, Method, Request};
use crate::screen::Screen;

const PATIENCE: Duration = Duration::from_secs(5);

/// The settings, with every problem of theirs on standard error.
pub(super) fn read(path: &Path, terminal: &mut Terminal<'_>) -> Result<Settings, Screen> {
    let bytes = read_bytes(path)?;
    read_settings(&path.display().to_string(), as_text(path, &bytes)?).map_err(|problems| {
        // Talk: nobody listening is no reason to go on.
        let _ = write!(terminal.err, "{problems}");
        problems.screen("settings-problems", "the settings have problems")
    })
}

/// In a word, and what was found.
pub(super) fn voucher(settings: &Settings) -> (&'static str, String) {
    match &settings.authority {
        Authority::Published { directory } => ("published", directory.display().to_string()),
        Authority::Key { .. } => ("key", "for laboratories alone".to_owned()),
        Authority::Issuer { url, keys } => ("issuer", format!("{url}: {}", issuer(settings, url, keys.as_deref()))),
    }
}

/// What an issuer publishes, held against what is pinned.
fn issuer(settings: &Settings, url: &str, pinned: Option<&[AuthorityPublicKey]>) -> String {
    let published = match key_set(settings, url) {
        Ok(keys) => keys,
        Err(why) => return why,
    };
    match pinned {
        None => format!("answers, publishes {} keys, which count through TLS", published.len()),
        Some(pinned) => {
            let unpinned = published.iter().filter(|key| !pinned.contains(key)).map(ToString::to_string).collect::<Vec<_>>();
            match (unpinned.as_slice(), published.iter().any(|key| pinned.contains(key))) {
                ([], _) => "answers, and every key that it publishes is pinned".to_owned(),
                (unpinned, true) => format!("answers; pin its next key as well: {}", unpinned.join(", ")),
                (unpinned, false) => format!("answers, and NONE of its keys is pinned: {}", unpinned.join(", ")),
            }
        }
    }
}

fn key_set(settings: &Settings, url: &str) -> Result<Vec<AuthorityPublicKey>, String> {
    let answer = ask(settings, &format!("{url}/.well-known/jwks.json"))?;
    if answer.status != 200 {
        return Err(format!("answers with status {}", answer.status));
    }
    AuthorityPublicKey::of_key_set(&answer.body).map_err(|error| format!("answers with no key set of an issuer: {error}"))
}

/// One question without a credential, or why there is no answer.
pub(super) fn ask(settings: &Settings, url: &str) -> Result<Answer, String> {
    let chain = |error: &dyn std::error::Error| {
        let causes = std::iter::successors(error.source(), |error| error.source()).map(|error| format!(": {error}"));
        format!("{error}{}", causes.collect::<String>())
    };
    let http = Http::new(settings.workspace.ca_file.as_deref()).map_err(|error| chain(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build();
    let runtime = runtime.map_err(|error| chain(&error))?;
    let request = Request { method: Method::Get, url, credentials: Credentials::None };
    runtime.block_on(async { http.send(&request, PATIENCE).await }).map_err(|error| chain(&error))
}
