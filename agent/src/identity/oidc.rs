//! A token from an OpenID issuer: who it speaks of, for whom, until when, with which groups.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};

use super::cloud_token::{TAG, audience_of};
use super::entra::{EntraRules, MemberKind, Memberships, Overage};
use super::ids::{Audience, GroupName};
use super::keys::KeySet;
use super::refusal::Refusal;
use super::strict_json::object;
use super::trust::{KeyBinding, OidcTrust, Provider};
use super::unproven::Unproven;
use super::verified::{Basis, Verified};
use super::verify::{OidcProof, Proof, Rules};
use super::{entra, jws, okta};
use crate::evidence::OidcClaim;
use crate::host::clock::Timestamp;
use crate::host::digest::sha256_hex;

/// Clocks of issuer and node may differ by this.
const LEEWAY: Duration = Duration::from_secs(30);
/// A token that was issued longer ago is not relied on, whatever its end.
const OLDEST: Duration = Duration::from_secs(24 * 3600);

/// A token that is the issuer's, for us, and good now.
pub(super) struct Read {
    pub(super) claims: Map<String, Value>,
    pub(super) key: Option<String>,
    pub(super) expires: Timestamp,
}

/// Checks everything but what the token says of somebody.
pub(super) fn read(claim: &OidcClaim, trust: &OidcTrust, now: Timestamp) -> Result<Read, Unproven> {
    check_discovery(&claim.discovery, trust)?;
    let signed = jws::verify(&claim.token, trust, &KeySet::parse(&claim.keys)?)?;
    let claims = &signed.claims;
    let issuer = text(claims, "iss")?;
    if issuer != trust.issuer.as_str() {
        return Err(Refusal::IssuerMismatch { expected: trust.issuer.to_string(), presented: issuer.to_owned() }.into());
    }
    check_audience(claims, trust)?;
    let expires = check_times(claims, now)?;
    Ok(Read { claims: signed.claims, key: signed.key, expires })
}

/// Verifies a token.
pub(super) fn verify(claim: &OidcClaim, trust: &OidcTrust, rules: &Rules<'_>) -> Result<Verified<Proof>, Unproven> {
    let now = rules.now;
    let bound;
    let expected = match trust.node_key {
        KeyBinding::Unbound | KeyBinding::RequestTag => trust,
        KeyBinding::Audience => {
            let audience = Audience::try_from(audience_of(trust, rules.node_key).as_str());
            let audience = audience.map_err(|_| Refusal::ClaimMalformed("an audience with the node key".into()))?;
            bound = OidcTrust { audience, ..trust.clone() };
            &bound
        }
    };
    let Read { claims, key, expires } = read(claim, expected, now)?;
    let claims = &claims;
    check_request_tag(claims, trust, rules.node_key)?;
    let subject = text(claims, "sub")?;
    let named = text_or(claims, &trust.subject.claim)?.ok_or(Refusal::ClaimMissing("the policy's subject claim"))?;
    // Client credentials: the token's subject is the client itself (RFC 9068 §2.2; Okta says cid, Entra azp or appid).
    let mut client = None;
    for name in ["client_id", "azp", "cid", "appid"] {
        client = client.or(text_or(claims, name)?);
    }
    let itself = match &trust.provider {
        Provider::Standard => claims.get("idtyp").and_then(Value::as_str) == Some("app"),
        Provider::Entra(rules) => entra::check(claims, rules)? == MemberKind::ServicePrincipal,
        Provider::Okta => {
            okta::check(claims)?;
            false
        }
    };
    let groups = match &trust.groups {
        None => BTreeSet::new(),
        Some(name) => groups(claims, name, claim.memberships.as_ref(), trust)?,
    };
    let agent = itself || client.is_some_and(|client| client == subject);
    let proof = OidcProof { name: trust.name.clone(), subject: named.to_owned(), client: agent, groups };
    let (voucher, digest) = (trust.issuer.to_string(), sha256_hex(&claim.token));
    let basis = Basis { voucher, key, checked: now, good_until: expires, digest, got_with: claim.got_with };
    Ok(Verified::new(Proof::Oidc(proof), basis))
}

/// OpenID Connect Discovery §4.3, RFC 8414 §3.3: byte for byte.
fn check_discovery(document: &[u8], trust: &OidcTrust) -> Result<(), Unproven> {
    let document = object(document).map_err(|_| Unproven::Malformed { what: "discovery", detail: "one JSON object" })?;
    let presented = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
    if presented == trust.issuer.as_str() {
        return Ok(());
    }
    Err(Refusal::DiscoveryMismatch { expected: trust.issuer.to_string(), presented: presented.to_owned() }.into())
}

/// RFC 7519 §4.1.3; OpenID Connect Core §3.1.3.7: with several audiences the authorised party must be ours.
fn check_audience(claims: &Map<String, Value>, trust: &OidcTrust) -> Result<(), Refusal> {
    let ours = trust.audience.as_str();
    let presented: Vec<&str> = match claims.get("aud") {
        None => return Err(Refusal::ClaimMissing("aud")),
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => {
            list.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(|| Refusal::ClaimMalformed("aud".into()))?
        }
        Some(_) => return Err(Refusal::ClaimMalformed("aud".into())),
    };
    if !presented.contains(&ours) {
        return Err(Refusal::AudienceMismatch { expected: ours.to_owned(), presented: presented.join(", ") });
    }
    match text_or(claims, "azp")? {
        Some(party) if presented.len() > 1 && party != ours => {
            Err(Refusal::AuthorizedPartyMismatch { expected: ours.to_owned(), presented: party.to_owned() })
        }
        None if presented.len() > 1 => {
            Err(Refusal::AuthorizedPartyMismatch { expected: ours.to_owned(), presented: "none".into() })
        }
        _ => Ok(()),
    }
}

/// Whoever asks Amazon's STS for a token may have its tags stand in it, under this claim.
const STS: &str = "https://sts.amazonaws.com/";

/// Where the policy wants it, the tag in the token is this node's key: a token fetched elsewhere is no use here.
fn check_request_tag(claims: &Map<String, Value>, trust: &OidcTrust, node_key: &str) -> Result<(), Refusal> {
    if trust.node_key != KeyBinding::RequestTag {
        return Ok(());
    }
    let tag = claims.get(STS).and_then(|sts| sts.get("request_tags")).and_then(|tags| tags.get(TAG));
    let presented = match tag {
        None => "none".to_owned(),
        Some(Value::String(presented)) if presented == node_key => return Ok(()),
        Some(Value::String(presented)) if presented.len() <= 256 => presented.clone(),
        Some(_) => return Err(Refusal::ClaimMalformed(format!("request_tags of {STS}"))),
    };
    Err(Refusal::NodeKeyMismatch { expected: node_key.to_owned(), presented })
}

/// RFC 7519 §4.1.4 to §4.1.6. Returns the end.
fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let expires = date(claims, "exp")?.ok_or(Refusal::ClaimMissing("exp"))?;
    let issued = date(claims, "iat")?.ok_or(Refusal::ClaimMissing("iat"))?;
    let not_before = date(claims, "nbf")?.unwrap_or(issued);
    if now >= expires.plus(LEEWAY) {
        return Err(Refusal::TokenExpired { at: expires, now });
    }
    let begins = not_before.max(issued);
    if now.plus(LEEWAY) < begins {
        return Err(Refusal::TokenNotYetValid { at: begins, now });
    }
    if now.since(issued) > OLDEST {
        return Err(Refusal::TokenTooOld { at: issued, now });
    }
    Ok(expires.plus(LEEWAY))
}

/// NumericDate (RFC 7519 §2): a number, here between 1970 and the year 9999.
fn date(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, Refusal> {
    let malformed = || Refusal::ClaimMalformed(name.into());
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = match value.as_i64() {
        Some(seconds) => seconds,
        None => value
            .as_f64()
            .filter(|seconds| (0.0..253_402_300_800.0).contains(seconds))
            .map(|seconds| seconds as i64)
            .ok_or_else(malformed)?,
    };
    if (0..253_402_300_800).contains(&seconds) { Ok(Some(Timestamp::from_seconds(seconds))) } else { Err(malformed()) }
}

fn groups(
    claims: &Map<String, Value>,
    name: &str,
    memberships: Option<&Memberships>,
    trust: &OidcTrust,
) -> Result<BTreeSet<GroupName>, Unproven> {
    // What is left out is unknown, and unknown is never a yes; the URL in the token is never followed.
    if entra::overage(claims, name) {
        return match &trust.provider {
            Provider::Entra(EntraRules { overage: Overage::Graph(_), .. }) => entra::resolved(claims, memberships, &trust.name),
            Provider::Entra(_) | Provider::Standard | Provider::Okta => Err(Refusal::GroupsOverage("a pointer to them").into()),
        };
    }
    let malformed = || Refusal::ClaimMalformed(name.to_owned());
    let list = match claims.get(name) {
        // A token without the claim says nothing of groups; taken for "none" it would pass every rule that denies one.
        None => return Err(Refusal::ClaimMissing("the policy's groups claim").into()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(malformed().into()),
    };
    if trust.provider == Provider::Okta {
        okta::whole(list)?;
    }
    list.iter()
        .map(|one| {
            one.as_str()
                .and_then(|group| GroupName::try_from(format!("{}:{group}", trust.name).as_str()).ok())
                .ok_or_else(|| malformed().into())
        })
        .collect()
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, Refusal> {
    text_or(claims, name)?.ok_or(Refusal::ClaimMissing(name))
}

fn text_or<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(value)) if !value.is_empty() && value.len() <= 1024 => Ok(Some(value)),
        Some(_) => Err(Refusal::ClaimMalformed(name.to_owned())),
    }
}
