//! What no workspace has: the tests' own hand on this one, for those that are not in its process.

use serde_json::{Value, json};

use crate::answer::{Answer, reply};
use crate::asked::Asked;
use crate::state::State;

pub(crate) fn answer(asked: &Asked, state: &mut State) -> Option<Answer> {
    match (asked.method.as_str(), asked.path.strip_prefix("/simulator/")?) {
        ("POST", "mint") => Some(mint(&asked.body, state)),
        ("POST", "fault") => Some(match serde_json::from_slice(&asked.body) {
            Ok(fault) => {
                state.faults.push(fault);
                reply(200, &json!({}))
            }
            Err(error) => reply(400, &json!({ "message": error.to_string() })),
        }),
        ("POST", "mend") => {
            state.faults.clear();
            Some(reply(200, &json!({})))
        }
        _ => None,
    }
}

fn mint(body: &[u8], state: &State) -> Answer {
    let Ok(asked) = serde_json::from_slice::<Value>(body) else { return reply(400, &json!({ "message": "not JSON" })) };
    let text = |name: &str| asked[name].as_str().map_or_else(|| asked[name].to_string(), str::to_owned);
    match state.issuer.mint(&text("header"), &text("claims"), &text("key")) {
        Ok(token) => reply(200, &json!({ "token": token })),
        Err(error) => reply(400, &json!({ "message": error.to_string() })),
    }
}
