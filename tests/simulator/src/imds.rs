//! A metadata service as a cloud has one, at the one address: for a network namespace of a test's own. It gives what it was
//! told to give, and only to whoever asks as the cloud wants to be asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where it is.
pub const ADDRESS: &str = "169.254.169.254:80";
/// The session token that AWS's gives.
const SESSION: &str = "AQAAAsession-token-of-a-test==";

/// What it gives, by path; and how it fails.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Bodies by path without query. `{nonce}` and `{audience}` are not filled in: the test knows both.
    pub bodies: BTreeMap<String, Vec<u8>>,
    /// Whole answers by path without query, of any status, before all else.
    pub answers: BTreeMap<String, (u16, String)>,
    /// Client ids of Azure's user-assigned identities; there is a system-assigned one besides.
    pub identities: Vec<String>,
    /// So many questions are answered with this status first.
    pub failing: Option<(u16, u32)>,
    /// It redirects to this place.
    pub redirect: Option<String>,
    /// It waits so long.
    pub slow: Option<Duration>,
    /// It leaves `Metadata-Flavor` out, as a proxy does.
    pub unflavoured: bool,
}

/// A running service; it ends with the process.
pub struct Imds {
    held: Arc<Mutex<Held>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Imds {
    /// Starts at [`ADDRESS`].
    ///
    /// # Errors
    /// When the address is not this machine's.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(ADDRESS)?;
        let found = Self { held: Arc::default(), asked: Arc::default() };
        let (held, asked) = (found.held.clone(), found.asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (held, asked) = (held.clone(), asked.clone());
                // A question that breaks off is the asker's to notice.
                std::thread::spawn(move || drop(answer(&stream, &held, &asked)));
            }
        });
        Ok(found)
    }

    /// Changes what it gives.
    pub fn hold(&self, held: Held) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What was asked since: method, path and query.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(stream: &TcpStream, held: &Mutex<Held>, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.by_ref().take(8192).read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line == "\r\n" {
            let (status, reply, body) = judge(&head, held, asked);
            let length = body.len();
            write!(&*stream, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{reply}\r\n")?;
            return (&*stream).write_all(&body);
        }
        head.push(line.trim_end().to_owned());
    }
}

fn judge(head: &[String], held: &Mutex<Held>, asked: &Mutex<Vec<String>>) -> (u16, String, Vec<u8>) {
    let first = head.first().cloned().unwrap_or_default();
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{method} {target}"));
    let header = |name: &str| {
        let mut lines = head.iter().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let held = {
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = held.clone();
        held.failing = held.failing.and_then(|(status, times)| times.checked_sub(1).map(|left| (status, left)));
        now
    };
    held.slow.into_iter().for_each(std::thread::sleep);
    if let Some((status, _)) = held.failing.filter(|(_, times)| *times > 0) {
        return (status, String::new(), Vec::new());
    }
    if let Some(place) = held.redirect {
        return (302, format!("location: {place}\r\n"), Vec::new());
    }
    let path = target.split('?').next().unwrap_or_default();
    let none = |status| (status, String::new(), Vec::new());
    // What a reverse proxy adds, and IMDSv2 refuses.
    if header("x-forwarded-for").is_some() {
        return none(403);
    }
    let fits = match (method, path) {
        ("PUT", "/latest/api/token") => {
            let lifetime = header("x-aws-ec2-metadata-token-ttl-seconds").and_then(|text| text.parse::<u32>().ok());
            return if lifetime.is_some() { (200, String::new(), SESSION.into()) } else { none(400) };
        }
        // Whether it is Google's.
        ("GET", "/") => return (200, "metadata-flavor: Google\r\n".to_owned(), b"computeMetadata/".to_vec()),
        ("GET", path) if path.starts_with("/latest/") => header("x-aws-ec2-metadata-token").as_deref() == Some(SESSION),
        ("GET", path) if path.starts_with("/metadata/") => header("metadata").as_deref() == Some("true"),
        ("GET", path) if path.starts_with("/computeMetadata/") => header("metadata-flavor").as_deref() == Some("Google"),
        _ => return none(405),
    };
    if !fits {
        return none(401);
    }
    let flavor = if held.unflavoured { "" } else { "metadata-flavor: Google\r\n" };
    if let Some((status, body)) = held.answers.get(path) {
        return (*status, flavor.to_owned(), body.clone().into_bytes());
    }
    if path == AZURE_TOKEN
        && let Some(error) = azure_refuses(target, &held.identities)
    {
        return (400, JSON.to_owned(), error.to_string().into_bytes());
    }
    match held.bodies.get(path) {
        Some(body) => (200, format!("{flavor}{}", if body.starts_with(b"{") { JSON } else { TEXT }), body.clone()),
        None => (404, if path.starts_with("/computeMetadata/") { flavor.to_owned() } else { String::new() }, Vec::new()),
    }
}

const JSON: &str = "content-type: application/json\r\n";
const TEXT: &str = "content-type: text/plain\r\n";
/// Where Azure's has tokens of managed identities.
const AZURE_TOKEN: &str = "/metadata/identity/oauth2/token";

/// What Azure's says to a question for a token that it does not answer.
fn azure_refuses(target: &str, identities: &[String]) -> Option<serde_json::Value> {
    let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let value = |name: &str| query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
    let said = |description: &str| serde_json::json!({ "error": "invalid_request", "error_description": description });
    match (value("api-version"), value("resource"), value("client_id")) {
        (Some((_, "2018-02-01")), Some(_), None) => None,
        (Some((_, "2018-02-01")), Some(_), Some((_, id))) if identities.iter().any(|known| known == id) => None,
        (Some((_, "2018-02-01")), Some(_), Some(_)) => Some(said("Identity not found")),
        _ => Some(said("Required query variable 'resource' is missing")),
    }
}
