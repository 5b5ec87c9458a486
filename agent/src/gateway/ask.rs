//! The head of a request: which endpoint it is for. Everything that a server could read differently from us ends here, before a byte
//! of the body is read.

use hyper::HeaderMap;
use hyper::http::request::Parts;

use super::denial::Denial;
use super::form::{Form, Times};
use super::table::{Captures, Endpoint, Table};
use super::target::Target;
use crate::unverified::Unverified;

/// A request whose endpoint is known and whose body is not read yet.
#[derive(Debug)]
pub struct Ask<'t> {
    pub(super) endpoint: &'t Endpoint,
    pub(super) captures: Captures,
    pub(super) target: Target,
    body: Body,
}

/// What the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Not read, and not sent on: a server might prefer it to the query.
    None,
    /// JSON.
    Json,
    /// An artifact's bytes, passed on as they come.
    Stream,
}

impl<'t> Ask<'t> {
    /// Reads a head. `hosts` are the names that the gateway is reached by.
    ///
    /// # Errors
    /// The denial.
    pub fn read(said: &Unverified<Parts>, table: &'t Table, hosts: &[String]) -> Result<Self, Denial> {
        let parts = said.examine();
        local(parts, hosts)?;
        let wire = parts.uri.path_and_query().map_or("", |target| target.as_str());
        let mut target = Target::parse(wire).map_err(|unfit| {
            Denial::unclear("target-unclear", format!("the path or query can be read in more than one way: {unfit}"))
        })?;
        let Some((endpoint, captures)) = table.find(parts.method.as_str(), target.path()) else {
            return Err(Denial::refused(
                "endpoint-unknown",
                "this request is not in the table of endpoints that this version of Longhorn lets through",
            ));
        };
        target.query = query(endpoint, std::mem::take(&mut target.query), table)?;
        let body = body(endpoint, &parts.headers)?;
        Ok(Self { endpoint, captures, target, body })
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> &'t Endpoint {
        self.endpoint
    }

    /// What its body is.
    pub fn body(&self) -> Body {
        self.body
    }
}

/// A browser on the node, or a name that somebody else's DNS points here, is nobody who was locked.
fn local(parts: &Parts, hosts: &[String]) -> Result<(), Denial> {
    if parts.uri.authority().is_some() {
        return Err(Denial::unclear("target-unclear", "the request names another server in its first line"));
    }
    let mut named = parts.headers.get_all("host").iter();
    let host = named.next().and_then(|host| host.to_str().ok());
    if named.next().is_some() || !host.is_some_and(|host| hosts.iter().any(|known| known == host)) {
        return Err(Denial::refused("host-foreign", format!("the request is for another host; expected {}", hosts.join(" or "))));
    }
    if parts.headers.contains_key("origin") {
        return Err(Denial::refused("origin-foreign", "requests of web pages do not go through"));
    }
    Ok(())
}

/// The fields that the endpoint has; one that may stand once and stands twice is refused.
fn query(endpoint: &Endpoint, query: Vec<(String, String)>, table: &Table) -> Result<Vec<(String, String)>, Denial> {
    let times = |name: &str| match endpoint.form {
        // With another method the server reads the body alone.
        Form::Message(message) if matches!(endpoint.method, "GET" | "HEAD") => table.message(message).in_query(name),
        Form::Message(_) | Form::Nothing => None,
        Form::Free | Form::Stream if matches!(endpoint.method, "GET" | "HEAD") => Some(Times::Once),
        Form::Free | Form::Stream => free_query(endpoint.method, name).then_some(Times::Once),
    };
    let mut kept: Vec<(String, String)> = Vec::new();
    for (name, value) in query {
        match times(&name) {
            None => {}
            Some(Times::Once) if kept.iter().any(|(other, _)| *other == name) => {
                return Err(Denial::unclear("field-twice", format!("the query holds `{name}` more than once")));
            }
            Some(_) => kept.push((name, value)),
        }
    }
    one_run(&mut kept)?;
    Ok(kept)
}

/// What a query says beside a body that nobody describes, or where there is none: as MLflow's and the SDK's clients have it. A platform
/// may read anything else there: another workspace, or another caller.
const FREE_QUERY: &[(&str, &[&str])] = &[
    // The last is a message: its fields follow, after dots.
    ("DELETE", &["comment", "creator", "id", "name", "stage", "version", "external_lineage_relationship"]),
    ("PATCH", &["update_mask"]),
    // Uploads in parts; issues; streams of the server's model gateway.
    ("POST", &["action", "overwrite", "session_token", "upload_type", "issue_id", "alt", "beta"]),
    ("PUT", &["overwrite"]),
];

fn free_query(method: &str, name: &str) -> bool {
    let name = name.split_once('.').map_or(name, |(message, _)| message);
    FREE_QUERY.iter().any(|(of, names)| *of == method && names.contains(&name))
}

/// `run_uuid` is the older name of `run_id`, and servers prefer now the one, now the other.
fn one_run(query: &mut Vec<(String, String)>) -> Result<(), Denial> {
    let Some(at) = query.iter().position(|(name, _)| name == "run_uuid") else { return Ok(()) };
    match query.iter().find(|(name, _)| name == "run_id") {
        None => {}
        Some((_, id)) if *id == query[at].1 => drop(query.remove(at)),
        Some(_) => return Err(two_runs()),
    }
    Ok(())
}

pub(super) fn two_runs() -> Denial {
    Denial::unclear("two-runs", "`run_id` and `run_uuid` name two runs")
}

fn body(endpoint: &Endpoint, headers: &HeaderMap) -> Result<Body, Denial> {
    let one = |name: &str| {
        let mut all = headers.get_all(name).iter();
        let first = all.next().map(|value| value.to_str().unwrap_or_default().trim().to_ascii_lowercase());
        if all.next().is_some() {
            return Err(Denial::unclear("header-twice", format!("the header `{name}` stands twice")));
        }
        Ok(first)
    };
    if one("content-encoding")?.is_some_and(|coding| coding != "identity") {
        return Err(Denial::unclear("body-encoded", "the body is compressed; send it as it is"));
    }
    let kind = one("content-type")?;
    if matches!(endpoint.method, "GET" | "HEAD") {
        return Ok(Body::None);
    }
    if endpoint.form == Form::Stream {
        return Ok(Body::Stream);
    }
    let empty = one("content-length")?.is_none_or(|length| length == "0") && !headers.contains_key("transfer-encoding");
    if empty {
        return Ok(Body::Json);
    }
    let kind = kind.unwrap_or_default();
    let (kind, parameters) = kind.split_once(';').unwrap_or((&kind, ""));
    if kind.trim() != "application/json" || !matches!(parameters.trim(), "" | "charset=utf-8") {
        return Err(Denial::unclear("body-not-json", "the body must be JSON in UTF-8, and its content type application/json"));
    }
    Ok(Body::Json)
}
