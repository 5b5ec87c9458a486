//! A token from a token endpoint, for whatever the agent shows there; kept while it is fresh.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::failure::{Failure, Who};
use super::kept::Kept;
use crate::host::http::{Credentials, Http, Method, Request};
use crate::host::retry::Deadline;
use crate::host::secret::Secret;

/// A token is not used for longer, whatever its own end.
const LONGEST: Duration = Duration::from_secs(3600);

/// What an endpoint is asked for.
pub(super) struct Asked<'a> {
    pub(super) who: Who,
    pub(super) url: &'a str,
    /// The form.
    pub(super) method: Method<'a>,
    pub(super) credentials: Credentials<'a>,
}

/// Asks for a token and keeps it.
///
/// # Errors
/// When it cannot be had.
pub(super) async fn ask(
    http: &Http,
    asked: &Asked<'_>,
    kept: &Kept<Secret>,
    deadline: &Deadline<'_>,
) -> Result<Arc<Secret>, Failure> {
    let Asked { who, url, method, credentials } = *asked;
    let request = Request { method, url, credentials };
    let answer = deadline.send(http, &request).await.map_err(|cause| Failure::gave_up(who, url, cause))?;
    match answer.status {
        200 => {
            let (token, fresh) = read(&answer.body).ok_or_else(|| Failure::unintelligible(who, url, "no access_token"))?;
            Ok(kept.put(token, deadline.clock.boot(), fresh, Duration::ZERO))
        }
        // RFC 6749 §5.2: invalid_client is 400 or 401.
        400 | 401 | 403 => {
            Err(Failure::CredentialRefused { who, what: url.to_owned(), status: answer.status, said: said(&answer.body) })
        }
        status => Err(Failure::unintelligible(who, url, &format!("status {status}"))),
    }
}

/// RFC 6749 §5.1: the token, and for how long it is used. What it is good for at the end of its life is not worth a failed
/// renewal; one without an end serves once.
fn read(body: &[u8]) -> Option<(Secret, Duration)> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: String,
        /// In seconds.
        #[serde(default)]
        expires_in: u32,
    }
    let Granted { access_token, expires_in } = serde_json::from_slice(body).ok()?;
    let token = Secret::new(Zeroizing::new(access_token).as_bytes())?;
    Some((token, Duration::from_secs(expires_in.into()).min(LONGEST) * 4 / 5))
}

/// Error codes of RFC 6749 §5.2 and RFC 8707 §2.
const CODES: [&str; 7] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
];

/// Which error it was. A code of the list and nothing else: what an endpoint writes besides may repeat what it was sent.
fn said(body: &[u8]) -> Option<&'static str> {
    #[derive(Deserialize)]
    struct Said {
        error: String,
    }
    let Said { error } = serde_json::from_slice(body).ok()?;
    CODES.into_iter().find(|code| *code == error)
}
