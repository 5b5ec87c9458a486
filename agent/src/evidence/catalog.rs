//! Unity Catalog and SQL warehouses of a workspace, by the agent's principal: questions, and governed tags that are set or taken away.
//! Bytes come back as they came; whoever asked reads them.

use std::time::Duration;

use serde::Deserialize;

use super::databricks::{Api, Token, log_in};
use super::failure::{Failure, Who, framed};
use super::kept::Kept;
use super::source::{Auth, WorkspaceSource};
use crate::host::http::{Http, Method};
use crate::host::retry::Deadline;
use crate::host::secret::Secret;

const WHO: Who = Who::Workspace;
const STATEMENTS: &str = "/api/2.0/sql/statements";
/// Between two looks at a statement that is not done.
const PAUSE: Duration = Duration::from_millis(500);

/// The workspace and the agent's credentials there.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// Its origin.
    pub host: &'a str,
    /// The credentials.
    pub auth: &'a Auth,
    /// The token that was given for them.
    pub granted: &'a Kept<Secret>,
}

impl<'a> From<&'a WorkspaceSource> for Login<'a> {
    fn from(source: &'a WorkspaceSource) -> Self {
        Self { host: source.host.as_str(), auth: &source.auth, granted: &source.granted }
    }
}

/// What came of a change.
#[derive(Debug)]
pub enum Changed {
    /// It is so now.
    Done,
    /// The agent's principal may not, for want of what is named, where the answer says it in a known word.
    Denied(Option<&'static str>),
}

/// A workspace that is asked.
pub struct Workspace<'a> {
    http: &'a Http,
    login: Login<'a>,
    deadline: &'a Deadline<'a>,
    token: Token<'a>,
}

impl<'a> Workspace<'a> {
    /// Logs in.
    ///
    /// # Errors
    /// When the workspace does not let us in, or cannot be asked.
    pub async fn open(http: &'a Http, login: Login<'a>, deadline: &'a Deadline<'a>) -> Result<Self, Failure> {
        let token = log_in(http, login.host, login.auth, login.granted, deadline).await?;
        Ok(Self { http, login, deadline, token })
    }

    fn api(&self) -> Api<'_> {
        Api { http: self.http, host: self.login.host, token: self.token.secret(), deadline: self.deadline }
    }

    /// A document, or that there is no such thing.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let answer = self.api().send(Method::Get, path).await?;
        match answer.status {
            200 => framed(WHO, path, answer.body).map(Some),
            404 if denies_existence(&answer.body) => Ok(None),
            status => Err(refused(self.login, path, status)),
        }
    }

    /// What a SQL statement comes to, once it is done or has failed; `body` is the request that executes it.
    ///
    /// # Errors
    /// When it cannot be told by the deadline.
    pub async fn statement(&self, body: &str) -> Result<Vec<u8>, Failure> {
        #[derive(Deserialize)]
        struct Said {
            statement_id: String,
            status: Status,
        }
        #[derive(Deserialize)]
        struct Status {
            state: String,
        }
        let mut answer = self.api().send(Method::Json(body), STATEMENTS).await?;
        loop {
            if answer.status != 200 {
                return Err(refused(self.login, STATEMENTS, answer.status));
            }
            let bytes = framed(WHO, STATEMENTS, answer.body)?;
            let said: Said = serde_json::from_slice(&bytes)
                .map_err(|_| Failure::unintelligible(WHO, STATEMENTS, "a statement without id or state"))?;
            if !matches!(said.status.state.as_str(), "PENDING" | "RUNNING") {
                return Ok(bytes);
            }
            // An id that is none would be another path.
            if !said.statement_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                return Err(Failure::unintelligible(WHO, STATEMENTS, "a statement whose id is none"));
            }
            if self.deadline.left() <= PAUSE {
                return Err(Failure::unintelligible(WHO, STATEMENTS, "that the statement is not done yet"));
            }
            tokio::time::sleep(PAUSE).await;
            answer = self.api().send(Method::Get, &format!("{STATEMENTS}/{}", said.statement_id)).await?;
        }
    }

    /// Has the workspace keep something, at `path`. What is there already is kept.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn post(&self, path: &str, json: &str) -> Result<Changed, Failure> {
        self.change(path, Method::Json(json), 409).await
    }

    /// Takes something away. What is gone already is gone.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn delete(&self, path: &str) -> Result<Changed, Failure> {
        self.change(path, Method::Delete, 404).await
    }

    async fn change(&self, path: &str, method: Method<'_>, so_already: u16) -> Result<Changed, Failure> {
        let answer = self.api().send(method, path).await?;
        match answer.status {
            200 | 201 | 204 => Ok(Changed::Done),
            404 if so_already == 404 && !denies_existence(&answer.body) => Err(refused(self.login, path, 404)),
            status if status == so_already => Ok(Changed::Done),
            403 => Ok(Changed::Denied(privilege(&answer.body))),
            status => Err(refused(self.login, path, status)),
        }
    }
}

/// A token that was given some time ago may have been taken back: the next question begins with another one.
fn refused(login: Login<'_>, path: &str, status: u16) -> Failure {
    if status == 401 {
        login.granted.forget();
    }
    match status {
        401 | 403 => Failure::CredentialRefused { who: WHO, what: path.to_owned(), status, said: None },
        status => Failure::unintelligible(WHO, path, &format!("status {status}")),
    }
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error_code: String,
    #[serde(default)]
    message: String,
}

/// Anybody may say 404, and a workspace without this service does: of a thing that is not there the catalog says so.
fn denies_existence(body: &[u8]) -> bool {
    serde_json::from_slice::<Refusal>(body)
        .is_ok_and(|said| said.error_code == "NOT_FOUND" || said.error_code.ends_with("_DOES_NOT_EXIST"))
}

/// Which privilege is missing, by a word of a list: nothing else of an answer is repeated.
fn privilege(body: &[u8]) -> Option<&'static str> {
    const WORDS: [(&str, &str); 5] = [
        ("ASSIGN", "ASSIGN"),
        ("APPLY TAG", "APPLY TAG"),
        ("APPLY_TAG", "APPLY TAG"),
        ("USE SCHEMA", "USE SCHEMA"),
        ("USE CATALOG", "USE CATALOG"),
    ];
    let said: Refusal = serde_json::from_slice(body).ok()?;
    WORDS.iter().find(|(word, _)| said.message.contains(word)).map(|(_, privilege)| *privilege)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_catalog_says_that_a_thing_is_not_there() {
        for (body, expected) in [
            (r#"{"error_code":"TABLE_DOES_NOT_EXIST","message":"x"}"#, true),
            (r#"{"error_code":"SCHEMA_DOES_NOT_EXIST"}"#, true),
            (r#"{"error_code":"NOT_FOUND"}"#, true),
            (r#"{"error_code":"ENDPOINT_NOT_FOUND"}"#, false),
            (r#"{"message":"TABLE_DOES_NOT_EXIST"}"#, false),
            ("<html>404</html>", false),
            ("", false),
        ] {
            assert_eq!(denies_existence(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_missing_privilege_is_named_by_a_word_of_a_list_and_nothing_else_is_repeated() {
        for (message, expected) in [
            ("User does not have ASSIGN on tag policy 'x'", Some("ASSIGN")),
            ("User does not have APPLY TAG on Table 'x'", Some("APPLY TAG")),
            ("needs APPLY_TAG", Some("APPLY TAG")),
            ("User does not have USE SCHEMA on Schema 'x'", Some("USE SCHEMA")),
            ("no", None),
        ] {
            let body = serde_json::json!({ "error_code": "PERMISSION_DENIED", "message": message }).to_string();
            assert_eq!(privilege(body.as_bytes()), expected, "{message}");
        }
    }
}
