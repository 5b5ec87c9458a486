//! Personal access tokens: their owner makes, lists and revokes them, and each is a bearer token until then.

use aws_lc_rs::digest::{SHA256, digest};
use hyper::header::HeaderValue;
use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal, list, reply};
use crate::asked::{Asked, text};
use crate::world::{hexadecimal, now, random};

/// How such a token begins.
pub(crate) const PREFIX: &str = "dapi";
/// How long one lives where nobody says, in seconds: two years.
const LIFETIME: u64 = 2 * 365 * 24 * 60 * 60;

/// All of them.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Vec<Token>);

#[derive(Clone)]
struct Token {
    id: String,
    owner: String,
    comment: Option<String>,
    made: u64,
    expires: u64,
}

impl Tokens {
    /// Whose token this is, while it is valid.
    pub(crate) fn owner(&self, value: &str, now: u64) -> Option<String> {
        let id = id_of(value);
        self.0.iter().find(|one| one.id == id && now < one.expires).map(|one| one.owner.clone())
    }
}

/// The answer to a token that is not known, or not any more: the code is a number here, and a word everywhere else
/// (databricks-sdk-go issue 873).
pub(crate) fn invalid() -> Answer {
    let mut answer = reply(403, &json!({ "error_code": 403, "message": "Invalid access token." }));
    answer.headers_mut().insert("x-databricks-reason-phrase", HeaderValue::from_static("Invalid access token."));
    answer
}

pub(crate) fn answer(asked: &Asked, call: &str, caller: &str, held: &mut Tokens) -> Outcome {
    let now = now();
    match (asked.method.as_str(), call) {
        ("POST", "create") => create(&asked.document()?, caller, now, held),
        ("GET", "list") => {
            let valid = held.0.iter().filter(|one| one.owner == caller && now < one.expires);
            Ok(list("token_infos", valid.map(info).collect()))
        }
        ("POST", "delete") => {
            let document = asked.document()?;
            let id = text(&document, "token_id")?.unwrap_or_default();
            let found = held.0.iter().position(|one| one.owner == caller && now < one.expires && one.id == id);
            held.0.remove(found.ok_or_else(|| Refusal::absent(format!("No valid token with ID {id} found.")))?);
            Ok(json!({}))
        }
        _ => Err(Refusal::unknown(&asked.path)),
    }
}

fn create(document: &Value, caller: &str, now: u64, held: &mut Tokens) -> Outcome {
    if !document["scopes"].is_null() || !document["autoscope_enabled"].is_null() {
        return Err(Refusal::unserved("scopes of tokens"));
    }
    let seconds = match &document["lifetime_seconds"] {
        Value::Null => LIFETIME,
        given => {
            given.as_u64().filter(|seconds| *seconds > 0).ok_or_else(|| Refusal::invalid("lifetime_seconds is not positive"))?
        }
    };
    let value = format!("{PREFIX}{}", random(16)?);
    let comment = text(document, "comment")?.map(str::to_owned);
    let expires = now.saturating_add(seconds.saturating_mul(1000));
    let token = Token { id: id_of(&value), owner: caller.to_owned(), comment, made: now, expires };
    let answer = json!({ "token_value": value, "token_info": info(&token) });
    held.0.push(token);
    Ok(answer)
}

/// What may be known of a token later on: all but its value, which nobody keeps.
fn info(token: &Token) -> Value {
    json!({ "token_id": token.id, "comment": token.comment, "creation_time": token.made, "expiry_time": token.expires })
}

fn id_of(value: &str) -> String {
    hexadecimal(digest(&SHA256, value.as_bytes()).as_ref())
}
