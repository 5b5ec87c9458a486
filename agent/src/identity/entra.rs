//! Tokens of Microsoft Entra ID as they are: of one tenant and one version, of a user or an application, and with a pointer
//! where groups did not fit. Microsoft Graph is asked for those by the token's `oid`; the pointer is never followed.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::ids::{DirectoryId, GraphOrigin, GroupName, LocalName};
use super::refusal::Refusal;
use super::strict_json::object;
use super::unproven::Unproven;
use crate::evidence::Answered;

/// The tenant of personal Microsoft accounts: anybody's.
pub const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// Microsoft Graph in audiences. Its tokens are for it alone.
pub const GRAPH_AUDIENCES: [&str; 2] = ["00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com"];
/// Where Microsoft Graph is: of the world, of the US government (L4, L5), of China.
pub const GRAPH_HOSTS: [&str; 4] =
    ["graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"];

/// What is special about an issuer that is a tenant of Entra ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraRules {
    /// The tenant in the issuer's name.
    pub tenant: DirectoryId,
    /// The version that issuers of this name write.
    pub version: TokenVersion,
    /// What becomes of groups that did not fit.
    pub overage: Overage,
}

/// Which of the two kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenVersion {
    /// `https://sts.windows.net/TENANT/`.
    V1,
    /// `https://login.microsoftonline.com/TENANT/v2.0`.
    V2,
}

impl TokenVersion {
    /// Its word in `ver`.
    pub fn word(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }
}

/// What becomes of a token that points to its groups instead of naming them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overage {
    /// It is refused.
    Refuse,
    /// Microsoft Graph is asked.
    Graph(GraphOrigin),
}

/// Whom a token speaks of, in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// User or application.
    pub kind: MemberKind,
    /// `oid`.
    pub id: DirectoryId,
}

/// What kind of object that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A user.
    User,
    /// A service principal: an application by itself.
    ServicePrincipal,
}

/// What Microsoft Graph said of somebody's groups.
#[derive(Debug)]
pub struct Memberships {
    /// Of whom.
    pub of: Member,
    /// What.
    pub said: Answered,
}

/// Checks tenant and version, and tells whom the token speaks of.
pub(super) fn check(claims: &Map<String, Value>, rules: &EntraRules) -> Result<MemberKind, Refusal> {
    let tenant = text(claims, "tid")?.ok_or(Refusal::ClaimMissing("tid"))?;
    if tenant != rules.tenant.as_str() {
        return Err(Refusal::TenantMismatch { expected: rules.tenant.to_string(), presented: tenant.to_owned() });
    }
    let version = text(claims, "ver")?.ok_or(Refusal::ClaimMissing("ver"))?;
    if version != rules.version.word() {
        let (expected, presented) = (rules.version.word().to_owned(), version.to_owned());
        return Err(Refusal::TokenVersionMismatch { expected, presented });
    }
    kind(claims)
}

/// `idtyp` is an optional claim. Without it: a delegated access token has a scope, an ID token's `sub` is another one for each
/// application, and an application by itself has neither.
fn kind(claims: &Map<String, Value>) -> Result<MemberKind, Refusal> {
    let scope = text(claims, "scp")?;
    match text(claims, "idtyp")? {
        Some("app") if scope.is_none() => Ok(MemberKind::ServicePrincipal),
        Some("user") => Ok(MemberKind::User),
        // An application by itself that acts within somebody's scope, or a kind that nobody knows.
        Some(_) => Err(Refusal::ClaimMalformed("idtyp".into())),
        None if scope.is_some() => Ok(MemberKind::User),
        None if text(claims, "oid")? == text(claims, "sub")? => Ok(MemberKind::ServicePrincipal),
        None => Ok(MemberKind::User),
    }
}

/// Whether the claim that holds groups is left out for their number. What is left out is unknown, and unknown is never a yes.
pub(super) fn overage(claims: &Map<String, Value>, groups: &str) -> bool {
    let elsewhere = claims.get("_claim_names").and_then(Value::as_object).is_some_and(|names| names.contains_key(groups));
    elsewhere || groups == "groups" && claims.get("hasgroups").is_some_and(|value| *value != Value::Bool(false))
}

/// Whom to ask Microsoft Graph about. Not believed: the token was not verified.
pub fn pointed_to(token: &[u8], groups: &str) -> Option<Member> {
    let claims = token.split(|byte| *byte == b'.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())?;
    let claims = object(&claims).ok()?;
    overage(&claims, groups).then(|| member(&claims).ok())?
}

fn member(claims: &Map<String, Value>) -> Result<Member, Refusal> {
    let id = text(claims, "oid")?.ok_or(Refusal::ClaimMissing("oid"))?;
    // It becomes part of a path.
    let id = DirectoryId::try_from(id).map_err(|_| Refusal::ClaimMalformed("oid".into()))?;
    Ok(Member { kind: kind(claims)?, id })
}

/// The groups that Microsoft Graph names in the token's place.
pub(super) fn resolved(
    claims: &Map<String, Value>,
    said: Option<&Memberships>,
    provider: &LocalName,
) -> Result<BTreeSet<GroupName>, Unproven> {
    const POINTER: Refusal = Refusal::GroupsOverage("a pointer to them");
    let member = member(claims)?;
    let said = said.filter(|said| said.of == member).ok_or(POINTER)?;
    let Answered::Document(body) = &said.said else { return Err(Refusal::NotInDirectory.into()) };
    let malformed = Unproven::Malformed { what: "groups", detail: "a list of ids of groups as `value` (getMemberObjects)" };
    let answer = object(body).map_err(|_| malformed.clone())?;
    // More than one page: an address that this answer names is not followed either.
    if answer.contains_key("@odata.nextLink") {
        return Err(Refusal::GroupsOverage("the first page of them").into());
    }
    let list = answer.get("value").and_then(Value::as_array).ok_or_else(|| malformed.clone())?;
    list.iter()
        .map(|one| {
            let id = one.as_str().and_then(|id| DirectoryId::try_from(id).ok()).ok_or_else(|| malformed.clone())?;
            GroupName::try_from(format!("{provider}:{id}").as_str()).map_err(|_| malformed.clone())
        })
        .collect()
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(value)) if !value.is_empty() => Ok(Some(value)),
        Some(_) => Err(Refusal::ClaimMalformed(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SOMEBODY: &str = "6467882c-fdfd-4354-a1ed-4e13f064be25";
    const ANOTHER: &str = "6467882c-fdfd-4354-a1ed-4e13f064be26";

    fn claims(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn applications_and_users_are_told_apart_with_and_without_the_claim_that_says_so() {
        use MemberKind::{ServicePrincipal, User};
        let rows = [
            (json!({ "idtyp": "app", "oid": "a", "sub": "a" }), Some(ServicePrincipal)),
            (json!({ "idtyp": "user", "oid": "a", "sub": "b", "scp": "run" }), Some(User)),
            (json!({ "idtyp": "app", "scp": "run" }), None),
            (json!({ "idtyp": "device" }), None),
            (json!({ "idtyp": 1 }), None),
            (json!({ "scp": "run", "oid": "a", "sub": "a" }), Some(User)),
            (json!({ "scp": ["run"] }), None),
            (json!({ "oid": "a", "sub": "a" }), Some(ServicePrincipal)),
            (json!({ "oid": "a", "sub": "b" }), Some(User)),
        ];
        for (value, expected) in rows {
            assert_eq!(kind(&claims(value.clone())).ok(), expected, "{value}");
        }
    }

    #[test]
    fn what_graph_said_of_somebody_else_counts_for_nobody() {
        let provider = LocalName::try_from("entra").unwrap();
        let token = claims(json!({ "oid": SOMEBODY, "sub": "b", "hasgroups": true }));
        let said = |kind, id: &str| Memberships {
            of: Member { kind, id: DirectoryId::try_from(id).unwrap() },
            said: Answered::Document(json!({ "value": [ANOTHER] }).to_string().into_bytes()),
        };
        let own = said(MemberKind::User, SOMEBODY);
        let found = resolved(&token, Some(&own), &provider).unwrap();
        assert_eq!(found.iter().map(GroupName::as_str).collect::<Vec<_>>(), [format!("entra:{ANOTHER}")]);
        for foreign in [said(MemberKind::User, ANOTHER), said(MemberKind::ServicePrincipal, SOMEBODY)] {
            let refused = resolved(&token, Some(&foreign), &provider).unwrap_err();
            assert_eq!(refused, Refusal::GroupsOverage("a pointer to them").into());
        }
    }

    #[test]
    fn nobody_is_asked_about_for_a_token_that_names_its_groups_or_whose_id_is_none() {
        let token = |value: Value| format!("e30.{}.", URL_SAFE_NO_PAD.encode(value.to_string())).into_bytes();
        let pointed = |value: Value| pointed_to(&token(value), "groups").map(|member| member.id.to_string());
        assert_eq!(pointed(json!({ "oid": SOMEBODY, "sub": "b", "hasgroups": true })), Some(SOMEBODY.to_owned()));
        assert_eq!(pointed(json!({ "oid": SOMEBODY, "_claim_names": { "groups": "src1" } })), Some(SOMEBODY.to_owned()));
        for value in [
            json!({ "oid": SOMEBODY, "groups": [] }),
            json!({ "oid": SOMEBODY, "hasgroups": false }),
            json!({ "oid": SOMEBODY.to_uppercase(), "hasgroups": true }),
            json!({ "oid": "../me", "hasgroups": true }),
            json!({ "hasgroups": true }),
        ] {
            assert_eq!(pointed(value.clone()), None, "{value}");
        }
        assert_eq!(pointed_to(b"not a token", "groups"), None);
    }
}
