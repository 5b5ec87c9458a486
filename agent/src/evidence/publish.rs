//! Publishes the node key write-once in a Unity Catalog volume (Files API, `overwrite=false`), by the agent's principal.

use std::path::Path;

use super::databricks::{Api, authenticate, percent_encode};
use super::failure::{Failure, Who};
use super::source::WorkspaceSource;
use crate::host::http::{Http, Method};
use crate::host::retry::Deadline;

/// Writes `bytes` to a new file. The default of the API is to overwrite: it is told not to.
///
/// # Errors
/// When it cannot be told whether the file is there now, or another one was there before.
pub async fn publish_once(
    http: &Http,
    source: &WorkspaceSource,
    path: &Path,
    bytes: &[u8],
    deadline: &Deadline<'_>,
) -> Result<(), Failure> {
    let token = authenticate(http, source, deadline).await?;
    let api = Api { http, host: source.host.as_str(), token: token.secret(), deadline };
    let encoded: Vec<String> = path.iter().skip(1).map(|part| percent_encode(&part.to_string_lossy())).collect();
    let file = format!("/api/2.0/fs/files/{}", encoded.join("/"));
    let url = format!("{file}?overwrite=false");
    let answer = api.send(Method::Put(bytes), &url).await?;
    match answer.status {
        200 | 201 | 204 => Ok(()),
        401 | 403 => Err(Failure::CredentialRefused { what: url, status: answer.status }),
        // It may be our own, sent again because the first answer was lost.
        409 => match api.send(Method::Get, &file).await? {
            there if there.status == 200 && there.body == bytes => Ok(()),
            _ => Err(Failure::unintelligible(Who::Workspace, &url, "another file that is already published under this name")),
        },
        status => Err(Failure::unintelligible(Who::Workspace, &url, &format!("status {status}"))),
    }
}
