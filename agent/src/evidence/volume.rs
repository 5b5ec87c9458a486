//! Files in a Unity Catalog volume (Files API), by the agent's principal: each written once, listed, and read.

use std::path::Path;

use serde::Deserialize;

use super::databricks::{Api, Token, authenticate, percent_encode};
use super::failure::{Failure, Who};
use super::source::WorkspaceSource;
use crate::host::http::{Http, Method};
use crate::host::retry::Deadline;

/// A directory lists up to 1,000 entries a page; no cluster has so many nodes that this ends it.
const MOST_PAGES: usize = 16;

/// The volumes of a workspace, as the agent's principal may use them.
pub struct Volumes<'a> {
    http: &'a Http,
    source: &'a WorkspaceSource,
    deadline: &'a Deadline<'a>,
    token: Token<'a>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    contents: Vec<Entry>,
    #[serde(default)]
    next_page_token: String,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
}

impl<'a> Volumes<'a> {
    /// Logs in.
    ///
    /// # Errors
    /// When the workspace does not let us in, or cannot be asked.
    pub async fn open(http: &'a Http, source: &'a WorkspaceSource, deadline: &'a Deadline<'a>) -> Result<Self, Failure> {
        Ok(Self { http, source, deadline, token: authenticate(http, source, deadline).await? })
    }

    fn api(&self) -> Api<'_> {
        Api { http: self.http, host: self.source.host.as_str(), token: self.token.secret(), deadline: self.deadline }
    }

    /// Writes `bytes` to a new file, and makes its directory. The default of the API is to overwrite: it is told not to.
    ///
    /// # Errors
    /// When it cannot be told whether the file is there now, or another one was there before.
    pub async fn publish_once(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        let api = self.api();
        let directory = format!("/api/2.0/fs/directories{}", encoded(path.parent().unwrap_or(path)));
        // One that is there already is no error.
        expect(api.send(Method::Put(b""), &directory).await?.status, &directory)?;
        let file = format!("/api/2.0/fs/files{}", encoded(path));
        let url = format!("{file}?overwrite=false");
        let answer = api.send(Method::Put(bytes), &url).await?;
        match answer.status {
            // It may be our own, sent again because the first answer was lost.
            409 => match api.send(Method::Get, &file).await? {
                there if there.status == 200 && there.body == bytes => Ok(()),
                _ => Err(Failure::unintelligible(Who::Workspace, &url, "another file that is already published under this name")),
            },
            status => expect(status, &url),
        }
    }

    /// The names in a directory; none where there is no such directory.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn list(&self, directory: &Path) -> Result<Vec<String>, Failure> {
        let first = format!("/api/2.0/fs/directories{}", encoded(directory));
        let mut url = first.clone();
        let mut names = Vec::new();
        for _ in 0..MOST_PAGES {
            let answer = self.api().send(Method::Get, &url).await?;
            if answer.status == 404 {
                return Ok(names);
            }
            expect(answer.status, &url)?;
            let page: Page = serde_json::from_slice(&answer.body)
                .map_err(|_| Failure::unintelligible(Who::Workspace, &url, "a directory without its contents"))?;
            names.extend(page.contents.into_iter().map(|entry| entry.name));
            if page.next_page_token.is_empty() {
                return Ok(names);
            }
            url = format!("{first}?page_token={}", percent_encode(&page.next_page_token));
        }
        Err(Failure::unintelligible(Who::Workspace, &first, "a directory without an end"))
    }

    /// The bytes of a file, where it is there.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Failure> {
        let url = format!("/api/2.0/fs/files{}", encoded(path));
        let answer = self.api().send(Method::Get, &url).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        expect(answer.status, &url).map(|()| Some(answer.body))
    }
}

fn expect(status: u16, url: &str) -> Result<(), Failure> {
    match status {
        200 | 201 | 204 => Ok(()),
        401 | 403 => Err(Failure::CredentialRefused { who: Who::Workspace, what: url.to_owned(), status, said: None }),
        status => Err(Failure::unintelligible(Who::Workspace, url, &format!("status {status}"))),
    }
}

/// An absolute path, each of its parts percent-encoded.
fn encoded(path: &Path) -> String {
    path.iter().skip(1).map(|part| format!("/{}", percent_encode(&part.to_string_lossy()))).collect()
}
