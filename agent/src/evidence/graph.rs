//! Microsoft Graph: the groups of whom a token of Entra ID speaks, where they did not fit into it. Asked by the token's `oid`,
//! with a token of the agent's own, at the host that the policy names.

use serde::Deserialize;

use super::claim::Answered;
use super::client::{self, Client};
use super::failure::{Failure, Who, framed};
use super::source::OpenIdIssuer;
use crate::host::http::{Credentials, Http, Method, Request};
use crate::host::retry::Deadline;
use crate::identity::entra::{Member, MemberKind, Memberships, pointed_to};
use crate::identity::ids::GraphOrigin;

const WHO: Who = Who::Graph;
/// Groups that grant nothing but mail are none of ours.
const BODY: &str = r#"{"securityEnabledOnly":true}"#;

/// Microsoft Graph, and the agent as its client.
#[derive(Debug)]
pub struct GraphSource {
    /// Where it is.
    pub origin: GraphOrigin,
    /// The claim that holds groups in tokens.
    pub groups: String,
    /// The agent's registration.
    pub client: Client,
}

/// The groups of whom a token speaks; `None`: it names them itself, or nobody whom one could ask about.
///
/// # Errors
/// When it cannot be told.
pub(super) async fn memberships(
    http: &Http,
    issuer: &OpenIdIssuer,
    source: &GraphSource,
    (token, discovery): (&[u8], &[u8]),
    deadline: &Deadline<'_>,
) -> Result<Option<Memberships>, Failure> {
    let Some(member) = pointed_to(token, &source.groups) else { return Ok(None) };
    let said = match ask(http, issuer, source, &member, discovery, deadline).await {
        // Given some time ago, and taken back before its end: once more, with another one.
        Err(Failure::CredentialRefused { who: WHO, status: 401, .. }) if source.client.granted.forget() => {
            ask(http, issuer, source, &member, discovery, deadline).await?
        }
        other => other?,
    };
    Ok(Some(Memberships { of: member, said }))
}

async fn ask(
    http: &Http,
    issuer: &OpenIdIssuer,
    source: &GraphSource,
    member: &Member,
    discovery: &[u8],
    deadline: &Deadline<'_>,
) -> Result<Answered, Failure> {
    let granted = client::token(http, issuer, &source.client, discovery, deadline).await?;
    let collection = match member.kind {
        MemberKind::User => "users",
        MemberKind::ServicePrincipal => "servicePrincipals",
    };
    let url = |id: &str| format!("{}/v1.0/{collection}/{id}/getMemberObjects", source.origin);
    // The id may be a person's: screens do not show it.
    let (asked, shown) = (url(member.id.as_str()), url("…"));
    let request = Request { method: Method::Json(BODY), url: &asked, credentials: Credentials::Bearer(&granted) };
    let answer = deadline.send(http, &request).await.map_err(|cause| Failure::gave_up(WHO, &shown, cause))?;
    match answer.status {
        200 => framed(WHO, &shown, answer.body).map(Answered::Document),
        status @ (401 | 403) => Err(Failure::CredentialRefused { who: WHO, what: shown, status, said: None }),
        404 if denies_existence(&answer.body) => Ok(Answered::Unknown),
        status => Err(Failure::unintelligible(WHO, &shown, &format!("status {status}"))),
    }
}

/// Anybody may say 404; Graph says of an object that it is not there.
fn denies_existence(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Said {
        error: Code,
    }
    #[derive(Deserialize)]
    struct Code {
        code: String,
    }
    serde_json::from_slice::<Said>(body).is_ok_and(|said| said.error.code == "Request_ResourceNotFound")
}
