//! Tokens of Okta's custom authorisation servers as they are.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// No expression over groups gives more (Okta: group functions).
const MOST_GROUPS: usize = 100;

/// The version, and the form of what Okta's access tokens hold. An ID token has no `scp` and no `cid`.
pub(super) fn check(claims: &Map<String, Value>) -> Result<(), Refusal> {
    match claims.get("ver") {
        None => return Err(Refusal::ClaimMissing("ver")),
        Some(version) if *version == 1 => {}
        Some(other) => {
            return Err(Refusal::TokenVersionMismatch { expected: "1".to_owned(), presented: other.to_string() });
        }
    }
    let texts = |list: &Vec<Value>| list.iter().all(Value::is_string);
    match claims.get("scp") {
        None => Ok(()),
        Some(Value::Array(scopes)) if texts(scopes) => Ok(()),
        Some(_) => Err(Refusal::ClaimMalformed("scp".into())),
    }
}

/// A list of just as many as fit is taken for one that was cut: what is left out is unknown, and somebody who is in a group that a
/// role denies must not pass because it was the hundred and first.
pub(super) fn whole(groups: &[Value]) -> Result<(), Refusal> {
    if groups.len() >= MOST_GROUPS { Err(Refusal::GroupsOverage("as many as Okta gives at most: 100")) } else { Ok(()) }
}
