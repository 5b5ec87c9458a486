//! What token services answer, read: the small documents that carry a token, or say why there is none. Of what they write, only words of
//! a list are ever repeated. Pure, and fuzzed as it stands (`tests/fuzz`).

use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::host::secret::Secret;

/// A token is not used for longer than this, whatever its issuer says.
const LONGEST: Duration = Duration::from_secs(3600);

/// RFC 6749 §5.1: the token, and for how long it is used. What it is good for at the end of its life is not worth a failed
/// renewal; one without an end serves once.
pub fn granted(body: &[u8]) -> Option<(Secret, Duration)> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: String,
        /// In seconds.
        #[serde(default)]
        expires_in: u32,
    }
    let Granted { access_token, expires_in } = serde_json::from_slice(body).ok()?;
    let token = Secret::new(Zeroizing::new(access_token).as_bytes())?;
    Some((token, Duration::from_secs(expires_in.into()).min(LONGEST) * 4 / 5))
}

/// The token alone: Azure's metadata service writes the rest as text.
pub fn access_token(body: &[u8]) -> Option<Secret> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: String,
    }
    let Granted { access_token } = serde_json::from_slice(body).ok()?;
    Secret::new(Zeroizing::new(access_token).as_bytes())
}

/// Error codes of RFC 6749 §5.2 and RFC 8707 §2.
const CODES: [&str; 7] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
];

/// Which error it was. A code of the list and nothing else: what an endpoint writes besides may repeat what it was sent.
pub fn error(body: &[u8]) -> Option<&'static str> {
    #[derive(Deserialize)]
    struct Said {
        error: String,
    }
    let Said { error } = serde_json::from_slice(body).ok()?;
    CODES.into_iter().find(|code| *code == error)
}

/// Which error Azure's metadata service names: of a list and nothing else.
pub fn azure_error(body: &[u8]) -> Option<&'static str> {
    const CODES: [&str; 8] = [
        "invalid_request",
        "invalid_resource",
        "invalid_scope",
        "unauthorized_client",
        "access_denied",
        "unknown_source",
        "bad_request_102",
        "unsupported_response_type",
    ];
    #[derive(Deserialize)]
    struct Said {
        error: String,
        #[serde(default)]
        error_description: String,
    }
    let Said { error, error_description } = serde_json::from_slice(body).ok()?;
    if error == "invalid_request" && error_description == "Identity not found" {
        return Some("invalid_request, Identity not found");
    }
    CODES.into_iter().find(|code| *code == error)
}

/// What Amazon's metadata service says of a machine's role.
pub enum RoleAnswer {
    /// Its access key, secret key and session token.
    Held([Secret; 3]),
    /// It could not be assumed, and why, where that is one of a list.
    NotAssumed(Option<&'static str>),
    /// Less than the three.
    NotWhole,
}

/// The credentials of a role; `None` where it is no such document.
pub fn role(body: &[u8]) -> Option<RoleAnswer> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Held {
        code: String,
        #[serde(default)]
        access_key_id: String,
        #[serde(default)]
        secret_access_key: String,
        #[serde(default)]
        token: String,
    }
    let held: Held = serde_json::from_slice(body).ok()?;
    if held.code != "Success" {
        const CODES: [&str; 2] = ["AssumeRoleUnauthorizedAccess", "InstanceProfileNotFound"];
        return Some(RoleAnswer::NotAssumed(CODES.into_iter().find(|code| *code == held.code)));
    }
    let secret = |text: String| Secret::new(Zeroizing::new(text).as_bytes());
    Some(match (secret(held.access_key_id), secret(held.secret_access_key), secret(held.token)) {
        (Some(access_key), Some(secret_key), Some(token)) => RoleAnswer::Held([access_key, secret_key, token]),
        (..) => RoleAnswer::NotWhole,
    })
}

/// The text of the only element of a name, where it is a name, a number or a token: those need no unescaping.
pub fn element<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let (_, rest) = document.split_once(&open)?;
    let (text, behind) = rest.split_once(&close)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (!text.is_empty() && text.bytes().all(plain) && !behind.contains(&open)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_read_where_it_stands_once_and_is_plain() {
        for (document, expected) in [
            ("<a><Code>AccessDenied</Code></a>", Some("AccessDenied")),
            ("<Code>a.b-c_d</Code>", Some("a.b-c_d")),
            ("<Code></Code>", None),
            ("<Code>a</Code><Code>b</Code>", None),
            ("<Code>a&amp;b</Code>", None),
            ("<Code>a<!-- b --></Code>", None),
            ("<Code>a", None),
            ("{}", None),
        ] {
            assert_eq!(element(document, "Code"), expected, "{document}");
        }
    }
}
