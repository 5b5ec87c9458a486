//! A request, taken apart.

use std::collections::BTreeMap;

use hyper::Method;
use hyper::body::Bytes;
use serde_json::Value;

use crate::answer::Refusal;

/// One request.
pub(crate) struct Asked {
    /// How.
    pub(crate) method: Method,
    /// Where.
    pub(crate) path: String,
    /// With which credential.
    pub(crate) authorization: String,
    /// All headers that are text, by their lower-case names.
    pub(crate) headers: BTreeMap<String, String>,
    /// With what.
    pub(crate) body: Bytes,
    parameters: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn new(method: Method, path: &str, query: &str, headers: BTreeMap<String, String>, body: Bytes) -> Self {
        let authorization = headers.get("authorization").cloned().unwrap_or_default();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let parameters = pairs.map(|(key, value)| (key.to_owned(), decode(value))).collect();
        Self { method, path: path.to_owned(), authorization, headers, body, parameters }
    }

    /// The version of the API and the call: `2.1`, `clusters/list`.
    pub(crate) fn call(&self) -> Option<(&str, &str)> {
        self.path.strip_prefix("/api/")?.split_once('/')
    }

    /// A parameter, empty where it is not given.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// All values of a parameter that may be given several times.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is a number.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.parameter(name).parse().ok()
    }

    /// The body as a form.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        let text = String::from_utf8_lossy(&self.body);
        text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (decode(name), decode(value))).collect()
    }

    /// The body as the JSON object that every call with a body takes.
    pub(crate) fn document(&self) -> Result<Value, Refusal> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(members)) => Ok(Value::Object(members)),
            _ => Err(Refusal::malformed("the body is no JSON object")),
        }
    }
}

/// A member that must be text where it is given.
pub(crate) fn text<'a>(document: &'a Value, name: &str) -> Result<Option<&'a str>, Refusal> {
    match &document[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(Refusal::malformed(&format!("{name} is not a text"))),
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let pair = [*high, *low];
                bytes.push(std::str::from_utf8(&pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or(b'?'));
                rest = after;
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
