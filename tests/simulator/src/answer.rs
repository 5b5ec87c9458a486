//! An answer: a document, or a refusal in the form that the SDK reads.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use serde_json::{Value, json};

/// What goes back.
pub(crate) type Answer = Response<Full<Bytes>>;
/// What most calls come to.
pub(crate) type Outcome = Result<Value, Refusal>;

/// A refusal: status, error code, message.
pub(crate) struct Refusal(u16, &'static str, String);

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self(status, code, message.into())
    }

    /// The request cannot be read.
    pub(crate) fn malformed(message: &str) -> Self {
        Self::new(400, "MALFORMED_REQUEST", message)
    }

    /// The request asks for something that cannot be.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_PARAMETER_VALUE", message)
    }

    /// What it names is not there. Clusters, jobs and runs say it in another way: [`Refusal::invalid`].
    pub(crate) fn absent(message: impl Into<String>) -> Self {
        Self::new(404, "RESOURCE_DOES_NOT_EXIST", message)
    }

    /// The real service has it; this one does not, and says so.
    pub(crate) fn unserved(what: &str) -> Self {
        Self::new(501, "NOT_IMPLEMENTED", format!("the simulated workspace does not serve {what}"))
    }

    /// The real service may have it or not; this one does not.
    pub(crate) fn unknown(path: &str) -> Self {
        Self::new(404, "ENDPOINT_NOT_FOUND", path)
    }
}

impl From<Refusal> for Answer {
    fn from(Refusal(status, code, message): Refusal) -> Self {
        reply(status, &json!({ "error_code": code, "message": message }))
    }
}

pub(crate) fn reply(status: u16, value: &Value) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

pub(crate) fn answer(outcome: Outcome) -> Answer {
    outcome.map_or_else(Answer::from, |value| reply(200, &value))
}

/// A list under its name, or nothing at all where it is empty: a list without elements is not sent.
pub(crate) fn list(name: &str, elements: Vec<Value>) -> Value {
    if elements.is_empty() { json!({}) } else { json!({ name: elements }) }
}
