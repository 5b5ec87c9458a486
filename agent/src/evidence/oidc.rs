//! An issuer's discovery document and key set, for a token that was handed in.

use super::claim::OidcClaim;
use super::failure::{Failure, Who, framed};
use super::source::OidcSource;
use crate::host::http::{Credentials, Http, Method, Request};
use crate::host::retry::Deadline;

const WHO: Who = Who::Issuer;

/// Fetches what is needed to check the token.
///
/// # Errors
/// When it cannot be told.
pub async fn ask(http: &Http, source: &OidcSource, deadline: &Deadline<'_>) -> Result<OidcClaim, Failure> {
    // OpenID Connect Discovery §4: the path is appended to the issuer.
    let url = format!("{}/.well-known/openid-configuration", source.issuer.as_str().trim_end_matches('/'));
    let discovery = fetch(http, &url, deadline).await?;
    #[derive(serde::Deserialize)]
    struct Pointer {
        jwks_uri: String,
    }
    let pointer: Pointer =
        serde_json::from_slice(&discovery).map_err(|_| Failure::unintelligible(WHO, &url, "no document with a jwks_uri"))?;
    // The policy says where keys may come from: an issuer's keys need not lie on the issuer's own host.
    let host =
        host_of(&pointer.jwks_uri).ok_or_else(|| Failure::unintelligible(WHO, &url, "a jwks_uri that is no https address"))?;
    if !source.jwks_hosts.contains(&host) {
        return Err(Failure::KeysElsewhere { expected: source.jwks_hosts.join(", "), presented: host });
    }
    let keys = fetch(http, &pointer.jwks_uri, deadline).await?;
    Ok(OidcClaim { name: source.name.clone(), token: source.token.clone(), discovery, keys })
}

async fn fetch(http: &Http, url: &str, deadline: &Deadline<'_>) -> Result<Vec<u8>, Failure> {
    let request = Request { method: Method::Get, url, credentials: Credentials::None };
    let answer = deadline.send(http, &request).await.map_err(|cause| Failure::gave_up(WHO, url, cause))?;
    match answer.status {
        200 => framed(WHO, url, answer.body),
        status => Err(Failure::unintelligible(WHO, url, &format!("status {status}"))),
    }
}

/// `host` or `host:port` of a URL without user information.
fn host_of(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next()?;
    (!host.is_empty() && !host.contains('@') && crate::host::http::secure(url)).then(|| host.to_ascii_lowercase())
}
