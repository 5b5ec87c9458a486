//! Who issues the job's token: the simulator, or the provider that we did not write.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::provider::{Provider, post, token};
use crate::setup;
use crate::shell::{Outcome, root};

/// The service principal that the demo's job runs as.
const PRINCIPAL: &str = "7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c11";
/// The issuer of a workspace that is not this one.
const ELSEWHERE: &str = "https://dbc-2222.cloud.databricks.com/oidc";

/// An issuer.
pub enum Issuer {
    /// The simulator's own.
    Simulated {
        /// Its address, which is also its name.
        url: String,
    },
    /// npm's `oidc-provider`.
    Real(Provider),
}

impl Issuer {
    /// The provider, installed where it is not.
    pub fn real() -> Outcome<Self> {
        setup::provider()?;
        Ok(Self::Real(Provider::start(&root(), "0")?))
    }

    /// Its name.
    pub fn url(&self) -> &str {
        match self {
            Self::Simulated { url } => url,
            Self::Real(provider) => &provider.url,
        }
    }

    /// The `typ` of its tokens.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Simulated { .. } => "jwt",
            // RFC 9068 §2.1.
            Self::Real(_) => "at+jwt",
        }
    }

    /// The job's token.
    pub fn token(&self) -> Outcome<String> {
        match self {
            Self::Simulated { url } => mint(url, url),
            Self::Real(provider) => Ok(token(&provider.url, PRINCIPAL, RESOURCE)?),
        }
    }

    /// The same for another workspace: signed by the same keys, so that its issuer alone is what is wrong with it.
    pub fn token_of_elsewhere(&self) -> Outcome<String> {
        match self {
            Self::Simulated { url } => mint(url, ELSEWHERE),
            Self::Real(provider) => Ok(token(&provider.other, PRINCIPAL, RESOURCE)?),
        }
    }
}

/// Audience and algorithm, as the provider reads them.
const RESOURCE: &str = "urn:longhorn:RS256";

impl fmt::Display for Issuer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simulated { url } => write!(out, "simulated, {url}"),
            Self::Real(provider) => write!(out, "oidc-provider from npm, {}", provider.url),
        }
    }
}

/// Asks the simulator's issuer for a token of `issuer`.
fn mint(url: &str, issuer: &str) -> Outcome<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let end = now + 3600;
    let header = r#"{"alg":"RS256","kid":"rsa-1","typ":"JWT"}"#;
    let claims =
        format!(r#"{{"iss":"{issuer}","aud":"longhorn","sub":"{PRINCIPAL}","iat":{now},"exp":{end},"groups":["ml-engineers"]}}"#);
    let body = format!(r#"{{"key":"rsa","header":{header},"claims":{claims}}}"#);
    Ok(post(&format!("{url}/simulator/mint"), "application/json", &body, "token")?)
}
