//! A JWS in compact form (RFC 7515 §7.1), checked rule by rule before a single claim is read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::keys::{KeySet, word};
use super::refusal::Refusal;
use super::strict_json::{StrictError, object};
use super::trust::{Algorithm, OidcTrust, Provider};

/// No token is longer, in bytes.
pub(super) const MOST: usize = 16 * 1024;

/// Claims whose signature was checked, and the id of the key that did.
pub(super) struct Signed {
    pub(super) claims: Map<String, Value>,
    pub(super) key: Option<String>,
}

/// Checks form, header and signature.
pub(super) fn verify(token: &[u8], trust: &OidcTrust, keys: &KeySet) -> Result<Signed, Refusal> {
    let token = token.strip_suffix(b"\n").unwrap_or(token);
    if token.len() > MOST {
        return Err(Refusal::TokenOversized { most: MOST, presented: token.len() });
    }
    let mut dots = token.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at);
    let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
        return Err(Refusal::TokenMalformed("not three parts"));
    };
    // Strict base64url without padding: one text for one token.
    let decode = |part: &[u8]| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::TokenMalformed("a part that is not base64url"));
    let header = object(&decode(&token[..first])?).map_err(|error| ambiguous(error, "a header that is no JSON object"))?;
    let algorithm = check_header(&header, trust)?;
    let key = match header.get("kid") {
        None => None,
        Some(Value::String(id)) if id.len() <= 256 => Some(id.clone()),
        Some(_) => return Err(Refusal::ClaimMalformed("kid".into())),
    };
    let signature = decode(&token[second + 1..])?;
    keys.verify(key.as_deref(), algorithm, &token[..second], &signature)?;
    let claims =
        object(&decode(&token[first + 1..second])?).map_err(|error| ambiguous(error, "claims that are no JSON object"))?;
    Ok(Signed { claims, key })
}

fn ambiguous(error: StrictError, what: &'static str) -> Refusal {
    match error {
        StrictError::Duplicate => Refusal::DuplicateClaim,
        StrictError::Malformed => Refusal::TokenMalformed(what),
    }
}

fn check_header(header: &Map<String, Value>, trust: &OidcTrust) -> Result<Algorithm, Refusal> {
    let alg = header.get("alg").and_then(Value::as_str).ok_or(Refusal::ClaimMissing("alg"))?;
    if alg.eq_ignore_ascii_case("none") {
        return Err(Refusal::AlgorithmNone);
    }
    // RFC 8725 §3.1: the algorithm comes from our list, never from the token. Symmetric ones are not in it: a public key
    // must never serve as an HMAC key.
    let allowed = trust.algorithms.iter().find(|allowed| word(**allowed) == alg);
    let algorithm = *allowed.ok_or_else(|| Refusal::AlgorithmNotAllowed {
        expected: trust.algorithms.iter().map(|allowed| word(*allowed)).collect::<Vec<_>>().join(", "),
        presented: alg.to_owned(),
    })?;
    // RFC 7515 §4.1.11: we understand no extension, so any `crit` must be refused; RFC 7797's `b64` among them.
    if let Some(critical) = header.get("crit") {
        return Err(Refusal::CriticalHeaderUnknown(critical.to_string()));
    }
    if header.contains_key("b64") {
        return Err(Refusal::CriticalHeaderUnknown("b64".into()));
    }
    // RFC 8725 §3.10: what the token says of keys is not followed.
    if let Some(name) = ["jwk", "jku", "x5u", "x5c"].iter().find(|name| header.contains_key(**name)) {
        return Err(Refusal::EmbeddedKey((*name).to_owned()));
    }
    if header.contains_key("zip") || header.contains_key("enc") {
        return Err(Refusal::TokenMalformed("an encrypted or compressed token"));
    }
    // Its signature is over another header than this one: what would come is "signature-invalid".
    if matches!(trust.provider, Provider::Entra(_)) && header.contains_key("nonce") {
        return Err(Refusal::TokenForGraph);
    }
    check_type(header, trust)?;
    Ok(algorithm)
}

/// RFC 8725 §3.11, RFC 7515 §4.1.9: `application/` may be left out; case does not count. Without `typ` a token counts as
/// `jwt` where the policy accepts that.
fn check_type(header: &Map<String, Value>, trust: &OidcTrust) -> Result<(), Refusal> {
    let presented = match header.get("typ") {
        None => "jwt".to_owned(),
        Some(Value::String(typ)) => typ.to_ascii_lowercase(),
        Some(_) => return Err(Refusal::ClaimMalformed("typ".into())),
    };
    let short = presented.strip_prefix("application/").unwrap_or(&presented);
    if trust.types.contains(short) {
        return Ok(());
    }
    Err(Refusal::TypeMismatch { expected: trust.types.iter().cloned().collect::<Vec<_>>().join(", "), presented })
}
