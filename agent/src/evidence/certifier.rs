//! The issuer of node keys as a node speaks to it: a challenge, then an answer to one request, and its keys. Frames and
//! believes nothing; what it refuses is an answer, what it cannot tell is asked again within the deadline.

use serde::Deserialize;

use super::failure::{Failure, Who};
use crate::host::http::{Answer, Credentials, Http, Method, Request};
use crate::host::retry::Deadline;

const WHO: Who = Who::Certifier;

/// The issuer.
#[derive(Debug)]
pub struct Certifier {
    /// Its origin.
    pub url: String,
}

/// What it said to a request.
#[derive(Debug)]
pub enum Certified {
    /// A certificate, as it came.
    Yes(String),
    /// None.
    No {
        /// The stable name that it gave.
        reason: String,
        /// Its sentence.
        message: String,
    },
}

#[derive(Deserialize)]
struct Challenge {
    challenge: String,
}

#[derive(Deserialize)]
struct Issued {
    certificate: String,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    message: String,
}

impl Certifier {
    /// A challenge.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn challenge(&self, http: &Http, deadline: &Deadline<'_>) -> Result<String, Failure> {
        let url = format!("{}/v1/challenge", self.url);
        let answer = self.send(http, &url, Method::Get, deadline).await?;
        let given: Option<Challenge> = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200);
        let fits = |text: &String| (16..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let challenge = given.map(|given| given.challenge).filter(fits);
        challenge.ok_or_else(|| Failure::unintelligible(WHO, &url, &format!("status {} and no challenge", answer.status)))
    }

    /// The answer to a request. The same request may be sent several times: the issuer answers it as before.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn certify(&self, http: &Http, request: &str, deadline: &Deadline<'_>) -> Result<Certified, Failure> {
        let url = format!("{}/v1/certificates", self.url);
        let answer = self.send(http, &url, Method::Jose(request), deadline).await?;
        let unintelligible =
            || Failure::unintelligible(WHO, &url, &format!("status {} and no answer of an issuer", answer.status));
        if answer.status == 200 {
            let issued: Issued = serde_json::from_slice(&answer.body).map_err(|_| unintelligible())?;
            return Ok(Certified::Yes(issued.certificate));
        }
        let refused: Refused = serde_json::from_slice(&answer.body).map_err(|_| unintelligible())?;
        // A name of ours: what a proxy says in JSON is no refusal.
        let named = refused.error.len() <= 64 && refused.error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if !(400..500).contains(&answer.status) || !named || refused.error.is_empty() {
            return Err(unintelligible());
        }
        Ok(Certified::No { reason: refused.error, message: refused.message })
    }

    /// The key set that it publishes.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn keys(&self, http: &Http, deadline: &Deadline<'_>) -> Result<Vec<u8>, Failure> {
        let url = format!("{}/.well-known/jwks.json", self.url);
        let answer = self.send(http, &url, Method::Get, deadline).await?;
        if answer.status == 200 {
            return Ok(answer.body);
        }
        Err(Failure::unintelligible(WHO, &url, &format!("status {}", answer.status)))
    }

    async fn send(&self, http: &Http, url: &str, method: Method<'_>, deadline: &Deadline<'_>) -> Result<Answer, Failure> {
        let request = Request { method, url, credentials: Credentials::None };
        deadline.send(http, &request).await.map_err(|cause| Failure::gave_up(WHO, url, cause))
    }
}
