//! A tenant of Entra ID, with Microsoft Graph at the same address: discovery and tokens in both versions, getMemberObjects.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answer::{Answer, reply};
use crate::asked::Asked;
use crate::state::State;

/// The tenant.
pub const TENANT: &str = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
/// A user of the honest scenario with more groups than fit into a token.
pub const USER_ID: &str = "6467882c-fdfd-4354-a1ed-4e13f064be25";
/// An application of it.
pub const APPLICATION_ID: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
/// A group of both.
pub const GROUP_ID: &str = "0a1b2c3d-0000-4000-8000-00000000000a";
/// What its token endpoint gives for Graph.
const TOKEN: &str = "simulated-graph-token";

/// What belongs to the tenant or to Graph.
pub(crate) fn answer(asked: &Asked, state: &mut State) -> Option<Answer> {
    let url = state.url.clone();
    if let Some(call) = asked.path.strip_prefix("/v1.0/") {
        return Some(graph(asked, call, state));
    }
    let call = asked.path.strip_prefix('/')?.strip_prefix(TENANT)?.strip_prefix('/')?;
    let discovery = |issuer: &str, version: &str| {
        json!({
            "issuer": format!("{url}/{TENANT}/{issuer}"), "jwks_uri": format!("{url}/{TENANT}/discovery/{version}keys"),
            "token_endpoint": format!("{url}/{TENANT}/oauth2/{version}token"),
        })
    };
    let document = match (asked.method.as_str(), call) {
        ("GET", "v2.0/.well-known/openid-configuration") => discovery("v2.0", "v2.0/"),
        ("GET", ".well-known/openid-configuration") => discovery("", ""),
        ("GET", "discovery/v2.0/keys" | "discovery/keys") => state.issuer.keys(),
        ("POST", "oauth2/v2.0/token") => return Some(token(asked, state, "scope", &format!("{url}/.default"))),
        ("POST", "oauth2/token") => return Some(token(asked, state, "resource", &url)),
        _ => return None,
    };
    Some(reply(200, &document))
}

/// RFC 6749 §4.4: the client by its secret, or by an assertion, which is noted and not checked here: a real provider does that.
fn token(asked: &Asked, state: &mut State, named: &str, expected: &str) -> Answer {
    let form = asked.form();
    let said = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let (id, secret) = &state.scenario.client;
    let by_secret = asked.authorization == format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let assertion = form.get("client_assertion").filter(|_| said("client_id") == id);
    if said("grant_type") != "client_credentials" {
        return reply(400, &json!({ "error": "unsupported_grant_type" }));
    }
    if !by_secret && assertion.is_none() {
        return reply(
            401,
            &json!({ "error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided." }),
        );
    }
    state.assertions.extend(assertion.cloned());
    if said(named) != expected {
        return reply(400, &json!({ "error": "invalid_scope" }));
    }
    reply(200, &json!({ "access_token": TOKEN, "token_type": "Bearer", "expires_in": 3599 }))
}

fn graph(asked: &Asked, call: &str, state: &State) -> Answer {
    let error = |status: u16, code: &str| reply(status, &json!({ "error": { "code": code, "message": "simulated" } }));
    if asked.authorization != format!("Bearer {TOKEN}") {
        return error(401, "InvalidAuthenticationToken");
    }
    let held = &state.scenario;
    let member = call.strip_suffix("/getMemberObjects").and_then(|member| member.split_once('/'));
    let groups = match (asked.method.as_str(), member) {
        ("POST", Some(("users", id))) => held.directory_users.get(id),
        ("POST", Some(("servicePrincipals", id))) => held.directory_applications.get(id),
        _ => return error(400, "BadRequest"),
    };
    let Some(groups) = groups else { return error(404, "Request_ResourceNotFound") };
    match asked.document().ok().map(|document| document["securityEnabledOnly"] == Value::Bool(true)) {
        Some(true) => reply(
            200,
            &json!({ "@odata.context": format!("{}/v1.0/$metadata#Collection(Edm.String)", state.url), "value": groups }),
        ),
        Some(false) | None => error(400, "BadRequest"),
    }
}
