//! Amazon's STS: a web identity token (GetWebIdentityToken) for the credentials of a role. The request is signed and goes to the
//! service of one region; it is asked in the query protocol, which answers in XML.

use std::time::Duration;

use zeroize::Zeroizing;

use super::answers::element;
use super::databricks::percent_encode;
use super::failure::{Failure, Who};
use super::oidc::host_of;
use super::sigv4::{Signer, authorization, date};
use crate::host::http::{Credentials, Http, Method, Request};
use crate::host::retry::{Deadline, GaveUp};
use crate::host::secret::Secret;
use crate::identity::cloud_token::TAG;

const WHO: Who = Who::TokenService;
/// Until a service is asked again that says, with 400, that it is asked too often.
const PAUSE: Duration = Duration::from_secs(1);
const FORM: &str = "application/x-www-form-urlencoded";

/// A role's credentials, and whose STS they go to.
pub(super) struct Role {
    pub(super) access_key: Secret,
    pub(super) secret_key: Secret,
    pub(super) session_token: Secret,
    pub(super) region: String,
    /// An origin.
    pub(super) endpoint: String,
}

/// What the token is to say.
pub(super) struct Wish<'a> {
    pub(super) audience: &'a str,
    pub(super) algorithm: &'static str,
    pub(super) lifetime: Duration,
    /// The node key's thumbprint, for a tag.
    pub(super) node_key: Option<&'a str>,
}

/// A region's own endpoint: the global one does not know this call.
pub(super) fn endpoint(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://sts.{region}.{suffix}")
}

/// The token.
///
/// # Errors
/// When it cannot be had.
pub(super) async fn web_identity_token(
    http: &Http,
    role: &Role,
    wish: &Wish<'_>,
    deadline: &Deadline<'_>,
) -> Result<Secret, Failure> {
    let url = role.endpoint.as_str();
    let form = form(wish);
    let mut tries = 0;
    loop {
        tries += 1;
        // Signed for each try: a signature is good for minutes.
        let signed = signed(role, &form, &date(deadline.clock.now()))?;
        let request = Request { method: Method::Form(&form), url, credentials: Credentials::Signed(&signed) };
        let answer = deadline.send(http, &request).await.map_err(|cause| Failure::gave_up(WHO, url, cause))?;
        let (status, body) = (answer.status, Zeroizing::new(answer.body));
        let body = std::str::from_utf8(&body).map_err(|_| Failure::unintelligible(WHO, url, "a body that is not UTF-8"))?;
        if status == 200 {
            let token = element(body, "WebIdentityToken").and_then(|token| Secret::new(token.as_bytes()));
            return token.ok_or_else(|| Failure::unintelligible(WHO, url, "no WebIdentityToken"));
        }
        let code = element(body, "Code").unwrap_or_default();
        match error(code.strip_suffix("Exception").unwrap_or(code)) {
            Said::Refused(code) => {
                return Err(Failure::CredentialRefused { who: WHO, what: url.to_owned(), status, said: Some(code) });
            }
            Said::Busy if PAUSE < deadline.left() => tokio::time::sleep(PAUSE).await,
            Said::Busy => return Err(Failure::gave_up(WHO, url, GaveUp::KeptFailing { status, tries })),
            Said::Unknown => return Err(Failure::unintelligible(WHO, url, &format!("status {status}"))),
        }
    }
}

/// Names and values in the query protocol.
fn form(wish: &Wish<'_>) -> String {
    let lifetime = wish.lifetime.as_secs().to_string();
    let mut pairs = vec![
        ("Action", "GetWebIdentityToken"),
        ("Version", "2011-06-15"),
        ("Audience.member.1", wish.audience),
        ("SigningAlgorithm", wish.algorithm),
        ("DurationSeconds", &lifetime),
    ];
    if let Some(node_key) = wish.node_key {
        pairs.extend([("Tags.member.1.Key", TAG), ("Tags.member.1.Value", node_key)]);
    }
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect();
    pairs.join("&")
}

/// The headers that a request carries besides `host`.
fn signed(role: &Role, form: &str, date: &str) -> Result<[(&'static str, Zeroizing<String>); 3], Failure> {
    let host = host_of(&role.endpoint)
        .ok_or_else(|| Failure::unintelligible(WHO, &role.endpoint, "an endpoint that is neither https nor on loopback"))?;
    // As the client writes it: without a port that the scheme says already.
    let port = if role.endpoint.starts_with("https://") { ":443" } else { ":80" };
    let host = host.strip_suffix(port).unwrap_or(&host);
    let session = role.session_token.expose();
    let headers = [("content-type", FORM), ("host", host), ("x-amz-date", date), ("x-amz-security-token", session)];
    let signer = Signer {
        access_key: role.access_key.expose(),
        secret_key: role.secret_key.expose(),
        region: &role.region,
        service: "sts",
    };
    let authorization = authorization(&signer, date, &headers, form);
    let headers =
        [("authorization", authorization), ("x-amz-date", date.to_owned()), ("x-amz-security-token", session.to_owned())];
    Ok(headers.map(|(name, value)| (name, Zeroizing::new(value))))
}

enum Said {
    /// The role's credentials, or what it may.
    Refused(&'static str),
    Busy,
    Unknown,
}

/// STS API reference, common errors and those of GetWebIdentityToken, without the `Exception` that some end in.
fn error(code: &str) -> Said {
    const REFUSED: [&str; 13] = [
        "AccessDenied",
        "ExpiredToken",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "JWTPayloadSizeExceeded",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "OutboundWebIdentityFederationDisabled",
        "RequestExpired",
        "SessionDurationEscalation",
        "SignatureDoesNotMatch",
        "UnrecognizedClient",
    ];
    const BUSY: [&str; 4] = ["Throttling", "Throttled", "RequestLimitExceeded", "TooManyRequests"];
    match REFUSED.into_iter().find(|known| *known == code) {
        Some(known) => Said::Refused(known),
        None if BUSY.contains(&code) => Said::Busy,
        None => Said::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_an_endpoint_of_its_own() {
        assert_eq!(endpoint("eu-central-1"), "https://sts.eu-central-1.amazonaws.com");
        assert_eq!(endpoint("cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn");
    }
}
