//! Who calls: discovery and keys of the issuer, the workspace's token endpoint, and what a bearer token is worth.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::answer::{Answer, Refusal, reply};
use crate::asked::Asked;
use crate::state::State;
use crate::sts;
use crate::tokens;
use crate::world::now;

const TOKEN: &str = "simulated-access-token";
/// The account: for whom a federation policy wants tokens to be.
pub const ACCOUNT: &str = "00000000-0000-0000-0000-000000000000";
/// Whom the agent's federation policy lets in.
pub const WORKLOAD: &str = "agent-workload";

/// The access token, until all are taken back.
fn token(state: &State) -> String {
    match state.taken_back {
        0 => TOKEN.to_owned(),
        times => format!("{TOKEN}-{times}"),
    }
}

/// What needs no token.
pub(crate) fn answer(asked: &Asked, state: &State) -> Option<Answer> {
    let url = &state.url;
    let document = match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/.well-known/openid-configuration") => {
            json!({ "issuer": url, "jwks_uri": format!("{url}/keys"), "token_endpoint": format!("{url}/token") })
        }
        ("GET", "/keys" | "/oidc/jwks.json") => state.issuer.keys(),
        // The workspace as an issuer: its keys lie on the host of its region.
        ("GET", "/oidc/.well-known/openid-configuration") => {
            let region = url.replace("127.0.0.1", "localhost");
            json!({ "issuer": format!("{url}/oidc"), "jwks_uri": format!("{region}/oidc/jwks.json"), "token_endpoint": format!("{url}/oidc/v1/token") })
        }
        ("GET", "/.well-known/databricks-config") => {
            json!({ "oidc_endpoint": format!("{url}/oidc"), "account_id": ACCOUNT, "workspace_id": "1234567890123456", "cloud": "AWS" })
        }
        ("GET", "/oidc/.well-known/oauth-authorization-server") => {
            json!({ "issuer": format!("{url}/oidc"), "token_endpoint": format!("{url}/oidc/v1/token"), "authorization_endpoint": format!("{url}/oidc/v1/authorize") })
        }
        ("POST", "/oidc/v1/token") => {
            if let Err((status, error)) = may_have_token(asked, state) {
                return Some(reply(status, &json!({ "error": error })));
            }
            let life = if state.scenario.token_life == 0 { 3600 } else { state.scenario.token_life };
            json!({ "access_token": token(state), "token_type": "Bearer", "expires_in": life })
        }
        _ => return None,
    };
    Some(reply(200, &document))
}

/// RFC 6749 §4.4 with the client's secret, or RFC 8693 with a token that the client's federation policy accepts: of this issuer,
/// for the account, about the workload `agent-workload` or the role of a machine. What an error is: RFC 6749 §5.2.
fn may_have_token(asked: &Asked, state: &State) -> Result<(), (u16, &'static str)> {
    let (id, secret) = &state.scenario.client;
    let form = asked.form();
    let said = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    match said("grant_type") {
        "client_credentials" if asked.authorization == format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))) => Ok(()),
        "client_credentials" => Err((401, "invalid_client")),
        "urn:ietf:params:oauth:grant-type:token-exchange" if said("client_id") != id => Err((401, "invalid_client")),
        "urn:ietf:params:oauth:grant-type:token-exchange" => {
            let claims = state.issuer.claims(said("subject_token")).unwrap_or_default();
            let good = said("subject_token_type") == "urn:ietf:params:oauth:token-type:jwt"
                && claims["iss"] == state.url
                && claims["aud"] == ACCOUNT
                && (claims["sub"] == WORKLOAD || claims["sub"] == sts::ROLE)
                && claims["exp"].as_u64().is_some_and(|end| end * 1000 > now());
            if good { Ok(()) } else { Err((400, "invalid_grant")) }
        }
        _ => Err((400, "unsupported_grant_type")),
    }
}

/// Whose the request is: the scenario's principal by its OAuth token, or the owner of a token that it made.
pub(crate) fn caller(asked: &Asked, state: &State) -> Result<String, Box<Answer>> {
    match asked.authorization.strip_prefix("Bearer ") {
        Some(one) if one == token(state) => Ok(state.scenario.client.0.clone()),
        Some(token) if token.starts_with(tokens::PREFIX) => {
            state.held.tokens.owner(token, now()).ok_or_else(|| Box::new(tokens::invalid()))
        }
        _ => Err(Box::new(Refusal::new(401, "UNAUTHENTICATED", "no valid token").into())),
    }
}
