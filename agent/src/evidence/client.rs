//! The agent as a client of an issuer: a token by client credentials (RFC 6749 §4.4). It proves the agent and not the job, and
//! is verified like every other token.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::databricks::percent_encode;
use super::failure::{Failure, Who};
use super::grant;
use super::kept::Kept;
use super::oidc::host_of;
use super::source::OpenIdIssuer;
use crate::host::http::{Credentials, Http, Method};
use crate::host::retry::Deadline;
use crate::host::secret::Secret;
use crate::identity::client_assertion::ClientKey;

const WHO: Who = Who::Issuer;
/// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`; an assertion is base64url and dots, which need no encoding.
const ASSERTION: &str =
    "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=";

/// The agent's registration with an issuer.
#[derive(Debug)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// What it proves itself with.
    pub proof: ClientProof,
    /// What is asked for, where the issuer wants to be told (`api://longhorn/.default` of Entra ID).
    pub scope: Option<String>,
    /// For whom, where the issuer wants to be told by this name (RFC 8707 §2).
    pub resource: Option<String>,
    /// The token that was given.
    pub granted: Kept<Secret>,
}

/// What a client proves itself with, by the words of OpenID Connect Core §9.
#[derive(Debug)]
pub enum ClientProof {
    /// `client_secret_basic`.
    Secret(Secret),
    /// `private_key_jwt`.
    PrivateKey(Box<ClientKey>),
}

/// A token, from where the issuer's discovery document says.
///
/// # Errors
/// When it cannot be had.
pub(super) async fn token(
    http: &Http,
    source: &OpenIdIssuer,
    client: &Client,
    discovery: &[u8],
    deadline: &Deadline<'_>,
) -> Result<Arc<Secret>, Failure> {
    if let Some(granted) = client.granted.fresh(deadline.clock.boot()) {
        return Ok(granted);
    }
    let url = endpoint(source, discovery)?;
    let mut form = "grant_type=client_credentials".to_owned();
    for (name, value) in [("scope", &client.scope), ("resource", &client.resource)] {
        if let Some(value) = value {
            form.push_str(&format!("&{name}={}", percent_encode(value)));
        }
    }
    match &client.proof {
        ClientProof::Secret(secret) => {
            // RFC 6749 §2.3.1: both are encoded as in a form before they become a user and a password.
            let (id, secret) = (percent_encode(&client.id), Zeroizing::new(percent_encode(secret.expose())));
            let secret = Secret::new(secret.as_bytes()).ok_or_else(|| Failure::unintelligible(WHO, &url, "no secret"))?;
            let credentials = Credentials::Basic(&id, &secret);
            let asked = grant::Asked { who: WHO, url: &url, method: Method::Form(&form), credentials };
            grant::ask(http, &asked, &client.granted, deadline).await
        }
        ClientProof::PrivateKey(key) => {
            // RFC 7523 §2.2. An assertion serves once: each try has its own.
            let made = || {
                let mut id = [0; 16];
                deadline.random.fill(&mut id);
                let assertion = key.assertion(&client.id, &url, source.issuer.as_str(), deadline.clock.now(), id);
                Zeroizing::new([&form, "&client_id=", &percent_encode(&client.id), ASSERTION, &assertion].concat())
            };
            let asked = grant::Asked { who: WHO, url: &url, method: Method::Made(&made), credentials: Credentials::None };
            grant::ask(http, &asked, &client.granted, deadline).await
        }
    }
}

/// The secret goes to the issuer's own host, or to one that the policy names for it, and nowhere else.
fn endpoint(source: &OpenIdIssuer, discovery: &[u8]) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Pointer {
        token_endpoint: String,
    }
    let unintelligible = |detail| Failure::unintelligible(WHO, source.issuer.as_str(), detail);
    let pointer: Pointer =
        serde_json::from_slice(discovery).map_err(|_| unintelligible("a discovery document without a token_endpoint"))?;
    let host = host_of(&pointer.token_endpoint).ok_or_else(|| unintelligible("a token_endpoint that is no https address"))?;
    let own = host_of(source.issuer.as_str());
    if own.as_ref() == Some(&host) || source.jwks_hosts.contains(&host) {
        return Ok(pointer.token_endpoint);
    }
    let expected: BTreeSet<String> = own.into_iter().chain(source.jwks_hosts.iter().cloned()).collect();
    let expected = expected.into_iter().collect::<Vec<_>>().join(", ");
    Err(Failure::TokenEndpointElsewhere { expected, presented: host })
}
