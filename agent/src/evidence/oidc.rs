//! A token, and its issuer's discovery document and key set.
//!
//! Both are kept: a renewal asks nobody while they are fresh. A token that names a key which is not among them has them asked
//! for again, at most once a minute, so that a stranger's tokens cost the issuer nothing. An issuer that does not answer costs
//! no identity before [`IN_NEED`] is over; one that answers something else does, at once.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::claim::OidcClaim;
use super::failure::{Failure, Who, framed};
use super::source::{Bearer, OidcSource, OpenIdIssuer};
use super::{client, cloud_token, graph};
use crate::host::http::{Credentials, Http, Method, Request};
use crate::host::retry::{Deadline, GaveUp};
use crate::identity::GotWith;

const WHO: Who = Who::Issuer;
/// Keys are fresh for what the issuer says (RFC 9111 §5.2.2.1), within these bounds.
const FRESH: [Duration; 2] = [Duration::from_secs(5 * 60), Duration::from_secs(3600)];
/// For so long after that they count where the issuer does not answer.
const IN_NEED: Duration = Duration::from_secs(6 * 3600);
/// Between two fetches that tokens with unknown keys cause.
const PAUSE: Duration = Duration::from_secs(60);
/// For asking an issuer whose keys are kept.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an issuer publishes.
#[derive(Debug)]
pub struct Published {
    /// The discovery document (OpenID Connect Discovery §4).
    discovery: Vec<u8>,
    /// The key set that it points to (RFC 7517 §5).
    keys: Vec<u8>,
}

/// The token, and what is needed to check it.
///
/// # Errors
/// When it cannot be told.
pub async fn ask(http: &Http, source: &OidcSource, deadline: &Deadline<'_>) -> Result<OidcClaim, Failure> {
    let mut claim = match &source.token {
        Bearer::Given(token) => ask_of(http, &source.issuer, token.clone(), GotWith::Given, deadline).await?,
        Bearer::Cloud(cloud) => {
            let token = cloud_token::ask(http, cloud, deadline).await?.expose().as_bytes().to_vec();
            ask_of(http, &source.issuer, token, GotWith::CloudToken, deadline).await?
        }
        Bearer::Client(client) => {
            let (published, unanswered) = published(http, &source.issuer, deadline).await?;
            let token = client::token(http, &source.issuer, client, &published.discovery, deadline).await?;
            let token = (token.expose().as_bytes().to_vec(), GotWith::Given);
            with_keys(http, &source.issuer, token, (published, unanswered), deadline).await?
        }
    };
    if let Some(graph) = &source.graph {
        let shown = (claim.token.as_slice(), claim.discovery.as_slice());
        claim.memberships = graph::memberships(http, &source.issuer, graph, shown, deadline).await?;
    }
    Ok(claim)
}

/// A token that is there, and what is needed to check it.
///
/// # Errors
/// When it cannot be told.
pub(super) async fn ask_of(
    http: &Http,
    source: &OpenIdIssuer,
    token: Vec<u8>,
    got_with: GotWith,
    deadline: &Deadline<'_>,
) -> Result<OidcClaim, Failure> {
    let published = published(http, source, deadline).await?;
    with_keys(http, source, (token, got_with), published, deadline).await
}

async fn with_keys(
    http: &Http,
    source: &OpenIdIssuer,
    (token, got_with): (Vec<u8>, GotWith),
    (published, unanswered): (Arc<Published>, Option<Failure>),
    deadline: &Deadline<'_>,
) -> Result<OidcClaim, Failure> {
    let now = deadline.clock.boot();
    let published = match unanswered {
        _ if knows_key_of(&token, &published.keys) => published,
        // Of a key that is not among those that are kept nothing is known: it may be new.
        Some(failure) => return Err(failure),
        None if source.published.may_ask_again(now, PAUSE) => fetch_all(http, source, deadline).await?,
        None if source.published.answered() => published,
        None => {
            let cause = GaveUp::AskedToWait { asked: PAUSE, left: deadline.left() };
            return Err(Failure::gave_up(WHO, source.issuer.as_str(), cause));
        }
    };
    let Published { discovery, keys } = &*published;
    let (name, discovery, keys) = (source.name.clone(), discovery.clone(), keys.clone());
    Ok(OidcClaim { name, token, discovery, keys, memberships: None, got_with })
}

/// What is kept while it is fresh; else what is published now; else what is kept, with why nothing newer is there.
async fn published(
    http: &Http,
    source: &OpenIdIssuer,
    deadline: &Deadline<'_>,
) -> Result<(Arc<Published>, Option<Failure>), Failure> {
    let now = deadline.clock.boot();
    if let Some(fresh) = source.published.fresh(now) {
        return Ok((fresh, None));
    }
    source.published.asking(now);
    let Some(stale) = source.published.stale(now) else {
        return fetch_all(http, source, deadline).await.map(|published| (published, None));
    };
    let soon = Deadline { end: deadline.end.min(now.plus(PATIENCE)), ..*deadline };
    match fetch_all(http, source, &soon).await {
        Ok(published) => Ok((published, None)),
        Err(failure @ Failure::Unavailable { .. }) => Ok((stale, Some(failure))),
        Err(failure) => Err(failure),
    }
}

async fn fetch_all(http: &Http, source: &OpenIdIssuer, deadline: &Deadline<'_>) -> Result<Arc<Published>, Failure> {
    // OpenID Connect Discovery §4: the path is appended to the issuer.
    let url = format!("{}/.well-known/openid-configuration", source.issuer.as_str().trim_end_matches('/'));
    let (discovery, told) = fetch(http, &url, deadline).await?;
    #[derive(Deserialize)]
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
    let (keys, of_keys) = fetch(http, &pointer.jwks_uri, deadline).await?;
    let fresh = told.min(of_keys).clamp(FRESH[0], FRESH[1]);
    Ok(source.published.put(Published { discovery, keys }, deadline.clock.boot(), fresh, IN_NEED))
}

/// A document, and for how long it counts.
async fn fetch(http: &Http, url: &str, deadline: &Deadline<'_>) -> Result<(Vec<u8>, Duration), Failure> {
    let request = Request { method: Method::Get, url, credentials: Credentials::None };
    let answer = deadline.send(http, &request).await.map_err(|cause| Failure::gave_up(WHO, url, cause))?;
    match answer.status {
        200 => Ok((framed(WHO, url, answer.body)?, answer.max_age)),
        status => Err(Failure::unintelligible(WHO, url, &format!("status {status}"))),
    }
}

/// Whether a token's key is among these, as far as it names one. Not believed: it only tells whether asking again may help.
fn knows_key_of(token: &[u8], keys: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Named {
        kid: Option<String>,
    }
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Named>,
    }
    let header = token.split(|byte| *byte == b'.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let named = header.and_then(|header| serde_json::from_slice::<Named>(&header).ok()).and_then(|header| header.kid);
    let among = |named: &String| {
        serde_json::from_slice::<Set>(keys).is_ok_and(|set| set.keys.iter().any(|key| key.kid.as_ref() == Some(named)))
    };
    named.as_ref().is_none_or(among)
}

/// `host` or `host:port` of a URL without user information.
pub(super) fn host_of(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next()?;
    (!host.is_empty() && !host.contains('@') && crate::host::http::secure(url)).then(|| host.to_ascii_lowercase())
}
