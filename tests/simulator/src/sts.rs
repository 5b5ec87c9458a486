//! Amazon's STS, for one call: GetWebIdentityToken. Who asks is known by the signature of the request (Signature Version 4),
//! which is checked as the service does, and not with the agent's code. Its tokens are the issuer's.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use serde_json::{Map, json};

use crate::answer::Answer;
use crate::asked::Asked;
use crate::state::State;
use crate::world::{hexadecimal, now};

/// The credentials of the machine's role, as its metadata service gives them.
pub const ACCESS_KEY: &str = "ASIASIMULATEDROLE000";
/// See [`ACCESS_KEY`].
pub const SECRET_KEY: &str = "simulated/secret+key/of/the/role/0000000";
/// See [`ACCESS_KEY`].
pub const SESSION_TOKEN: &str = "IQoJsimulated//session+token/of/the/role==";
/// Whose they are.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/agent";
/// The region of this STS.
pub const REGION: &str = "us-west-2";

/// The credentials as the metadata service gives them.
pub fn role_credentials() -> String {
    let held = json!({
        "Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC", "AccessKeyId": ACCESS_KEY,
        "SecretAccessKey": SECRET_KEY, "Token": SESSION_TOKEN, "Expiration": "2099-01-01T00:00:00Z",
    });
    held.to_string()
}

struct Refused(u16, &'static str);

pub(crate) fn answer(asked: &Asked, state: &State) -> Option<Answer> {
    if asked.method != "POST" || asked.path != "/" {
        return None;
    }
    let (status, document) = match token(asked, state) {
        Ok(token) => (
            200,
            format!(
                "<GetWebIdentityTokenResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetWebIdentityTokenResult>\
                 <WebIdentityToken>{token}</WebIdentityToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
                 </GetWebIdentityTokenResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>\
                 </GetWebIdentityTokenResponse>"
            ),
        ),
        Err(Refused(status, code)) => (
            status,
            format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
                 <Message>refused</Message></Error><RequestId>0</RequestId></ErrorResponse>"
            ),
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(document)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("text/xml"));
    Some(response)
}

fn token(asked: &Asked, state: &State) -> Result<String, Refused> {
    authenticated(asked)?;
    let form = asked.form();
    let said = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if (said("Action"), said("Version")) != ("GetWebIdentityToken", "2011-06-15") {
        return Err(Refused(400, "InvalidAction"));
    }
    let lifetime = form.get("DurationSeconds").map_or(Ok(300), |text| text.parse::<u64>()).unwrap_or(0);
    let audience = said("Audience.member.1");
    // Keys of the other kind are not made here.
    if !(60..=3600).contains(&lifetime) || audience.is_empty() || said("SigningAlgorithm") != "RS256" {
        return Err(Refused(400, "ValidationError"));
    }
    let mut tags = Map::new();
    for number in 1..=50 {
        let part = |name: &str| form.get(&format!("Tags.member.{number}.{name}"));
        let (Some(key), Some(value)) = (part("Key"), part("Value")) else { break };
        tags.insert(key.clone(), value.clone().into());
    }
    let now = now() / 1000;
    let mut sts = json!({ "aws_account": "123456789012", "source_region": REGION, "principal_id": ROLE });
    if !tags.is_empty() {
        sts["request_tags"] = tags.into();
    }
    let mut claims = json!({
        "iss": state.url, "aud": audience, "sub": ROLE, "iat": now, "exp": now + lifetime, "jti": "0", "https://sts.amazonaws.com/": sts,
    });
    if let (Some(object), Some(more)) = (claims.as_object_mut(), state.scenario.sts_claims.as_object()) {
        object.extend(more.clone());
    }
    let header = r#"{"alg":"RS256","kid":"rsa-1","typ":"JWT"}"#;
    state.issuer.mint(header, &claims.to_string(), "rsa").map_err(|_| Refused(500, "InternalFailure"))
}

/// Signature Version 4, over exactly the headers that the request says are signed.
fn authenticated(asked: &Asked) -> Result<(), Refused> {
    let header = |name: &str| asked.headers.get(name).map(String::as_str).unwrap_or_default();
    let given = header("authorization").strip_prefix("AWS4-HMAC-SHA256 ").ok_or(Refused(403, "MissingAuthenticationToken"))?;
    let part = |name: &str| {
        let parts = given.split(',').filter_map(|part| part.trim().split_once('='));
        parts.filter(|(key, _)| *key == name).map(|(_, value)| value).next().unwrap_or_default()
    };
    let scope: Vec<&str> = part("Credential").split('/').collect();
    let [access_key, day, region, "sts", "aws4_request"] = scope[..] else { return Err(Refused(400, "IncompleteSignature")) };
    let date = header("x-amz-date");
    if access_key != ACCESS_KEY || header("x-amz-security-token") != SESSION_TOKEN {
        return Err(Refused(403, "InvalidClientTokenId"));
    }
    let names: Vec<&str> = part("SignedHeaders").split(';').collect();
    let needed = ["host", "x-amz-date", "x-amz-security-token"].iter().all(|name| names.contains(name));
    if region != REGION || !needed || !date.starts_with(day) || date.len() != 16 {
        return Err(Refused(400, "IncompleteSignature"));
    }
    if seconds(date).is_none_or(|at| at.abs_diff(now() / 1000) > 300) {
        return Err(Refused(403, "RequestExpired"));
    }
    let lines: String = names.iter().map(|name| format!("{name}:{}\n", header(name).trim())).collect();
    let hash = |bytes: &[u8]| hexadecimal(digest(&SHA256, bytes).as_ref());
    let request = format!("POST\n/\n\n{lines}\n{}\n{}", names.join(";"), hash(&asked.body));
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{day}/{region}/sts/aws4_request\n{}", hash(request.as_bytes()));
    let step = |key: &[u8], data: &str| sign(&Key::new(HMAC_SHA256, key), data.as_bytes()).as_ref().to_vec();
    let key = step(&step(&step(&step(format!("AWS4{SECRET_KEY}").as_bytes(), day), region), "sts"), "aws4_request");
    if hexadecimal(&step(&key, &text)) == part("Signature") { Ok(()) } else { Err(Refused(403, "SignatureDoesNotMatch")) }
}

/// `20260131T235959Z` as seconds since 1970 (days from civil, by Howard Hinnant).
fn seconds(date: &str) -> Option<u64> {
    let number = |from: usize, to: usize| date.get(from..to)?.parse::<i64>().ok();
    let (mut year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    year -= i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    u64::try_from(days * 86_400 + hour * 3600 + minute * 60 + second).ok()
}
