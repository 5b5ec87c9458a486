//! A token from a token endpoint, for whatever the agent shows there; kept while it is fresh.

use std::sync::Arc;

use super::answers;
use super::failure::{Failure, Who};
use super::kept::Kept;
use crate::host::http::{Credentials, Http, Method, Request};
use crate::host::retry::Deadline;
use crate::host::secret::Secret;

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
            let (token, fresh) =
                answers::granted(&answer.body).ok_or_else(|| Failure::unintelligible(who, url, "no access_token"))?;
            // The last fifth of its life is for whoever cannot have another one.
            Ok(kept.put(token, deadline.clock.boot(), fresh, fresh / 4))
        }
        // RFC 6749 §5.2: invalid_client is 400 or 401.
        400 | 401 | 403 => Err(Failure::CredentialRefused {
            who,
            what: url.to_owned(),
            status: answer.status,
            said: answers::error(&answer.body),
        }),
        status => Err(Failure::unintelligible(who, url, &format!("status {status}"))),
    }
}
