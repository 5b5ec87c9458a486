//! The agent's login at the workspace for whoever goes there on a job's behalf under the agent's name.

use std::sync::Arc;

use super::databricks::{Token, authenticate};
use super::failure::{Failure, Who};
use super::source::WorkspaceSource;
use crate::host::clock::BootTime;
use crate::host::http::Http;
use crate::host::retry::Deadline;
use crate::host::secret::Secret;

/// A token, until when nobody needs to ask for another one, and until when it serves where none can be had. `refused` is one that the
/// workspace did not take: it is not given again, unless it was handed in and there is no other.
///
/// # Errors
/// When there is none.
pub async fn log_in(
    http: &Http,
    source: &WorkspaceSource,
    refused: Option<&Arc<Secret>>,
    deadline: &Deadline<'_>,
) -> Result<(Arc<Secret>, BootTime, BootTime), Failure> {
    if let Some(refused) = refused {
        source.granted.forget_this(refused);
    }
    match authenticate(http, source, deadline).await? {
        Token::Fetched(token) => {
            let now = deadline.clock.boot();
            let (fresh, end) = source.granted.lasts(&token).unwrap_or((now, now));
            Ok((token, fresh, end))
        }
        Token::Given(token) => {
            let token = Secret::new(token.expose().as_bytes());
            let token = token.ok_or_else(|| Failure::unintelligible(Who::Workspace, source.host.as_str(), "no token"))?;
            Ok((Arc::new(token), BootTime(u64::MAX), BootTime(u64::MAX)))
        }
    }
}
