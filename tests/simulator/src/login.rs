//! Who calls: discovery and keys of the issuer, the workspace's token endpoint, and what a bearer token is worth.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::answer::{Answer, Refusal, reply};
use crate::asked::Asked;
use crate::state::State;
use crate::tokens;
use crate::world::now;

const TOKEN: &str = "simulated-access-token";

/// What needs no token.
pub(crate) fn answer(asked: &Asked, state: &State) -> Option<Answer> {
    let url = &state.url;
    let document = match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/.well-known/openid-configuration") => {
            json!({ "issuer": url, "jwks_uri": format!("{url}/keys"), "token_endpoint": format!("{url}/token") })
        }
        ("GET", "/keys") => state.issuer.keys(),
        ("GET", "/.well-known/databricks-config") => {
            json!({ "oidc_endpoint": format!("{url}/oidc"), "account_id": "00000000-0000-0000-0000-000000000000", "workspace_id": "1234567890123456", "cloud": "AWS" })
        }
        ("GET", "/oidc/.well-known/oauth-authorization-server") => {
            json!({ "issuer": format!("{url}/oidc"), "token_endpoint": format!("{url}/oidc/v1/token"), "authorization_endpoint": format!("{url}/oidc/v1/authorize") })
        }
        ("POST", "/oidc/v1/token") => {
            let (id, secret) = &state.scenario.client;
            if asked.authorization != format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))) {
                return Some(reply(401, &json!({ "error": "invalid_client" })));
            }
            json!({ "access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600 })
        }
        _ => return None,
    };
    Some(reply(200, &document))
}

/// Whose the request is: the scenario's principal by its OAuth token, or the owner of a token that it made.
pub(crate) fn caller(asked: &Asked, state: &State) -> Result<String, Box<Answer>> {
    match asked.authorization.strip_prefix("Bearer ") {
        Some(TOKEN) => Ok(state.scenario.client.0.clone()),
        Some(token) if token.starts_with(tokens::PREFIX) => {
            state.held.tokens.owner(token, now()).ok_or_else(|| Box::new(tokens::invalid()))
        }
        _ => Err(Box::new(Refusal::new(401, "UNAUTHENTICATED", "no valid token").into())),
    }
}
