//! Routes, on one thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::faults::{Cut, Fault};
use crate::issuer::Issuer;
use crate::scenario::Scenario;
use crate::tls;

/// What the server holds.
pub struct State {
    scenario: Scenario,
    issuer: Issuer,
    faults: Vec<Fault>,
    requests: BTreeMap<String, u32>,
    files: BTreeMap<String, Vec<u8>>,
    directories: BTreeSet<String>,
    url: String,
}

/// A running simulator; it ends with the process.
pub struct Simulator {
    state: Arc<Mutex<State>>,
    url: String,
}

impl Simulator {
    /// Its base address: workspace origin and issuer alike.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Changes what it holds.
    pub fn edit(&self, change: impl FnOnce(&mut Scenario)) {
        change(&mut lock(&self.state).scenario);
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        lock(&self.state).faults.push(fault);
    }

    /// Takes all faults away.
    pub fn mend(&self) {
        lock(&self.state).faults.clear();
    }

    /// A token; see [`Issuer::mint`].
    ///
    /// # Panics
    /// When the key is unknown.
    pub fn mint(&self, header: &str, claims: &str, key: &str) -> String {
        lock(&self.state).issuer.mint(header, claims, key).expect("the key exists and signs")
    }

    /// How often paths were asked for.
    pub fn requests(&self) -> BTreeMap<String, u32> {
        lock(&self.state).requests.clone()
    }

    /// Files that were written, by path.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.state).files.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Starts on a free port of loopback.
///
/// # Errors
/// When the port or the keys cannot be had.
pub fn start(scenario: Scenario) -> Result<Simulator, Box<dyn std::error::Error>> {
    let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let url = format!("http://{}", listener.local_addr()?);
    run(scenario, listener, url, None)
}

/// Starts on a listener of the caller's, with TLS as `name`; returns the root to trust as well (PEM).
///
/// # Errors
/// When the keys cannot be had.
pub fn start_with_tls(
    scenario: Scenario,
    listener: std::net::TcpListener,
    name: &str,
) -> Result<(Simulator, String), Box<dyn std::error::Error>> {
    let url = format!("https://{name}:{}", listener.local_addr()?.port());
    let (acceptor, root) = tls::for_name(name)?;
    Ok((run(scenario, listener, url, Some(acceptor))?, root))
}

fn run(
    scenario: Scenario,
    listener: std::net::TcpListener,
    url: String,
    tls: Option<TlsAcceptor>,
) -> Result<Simulator, Box<dyn std::error::Error>> {
    listener.set_nonblocking(true)?;
    let state = State {
        scenario,
        issuer: Issuer::new()?,
        faults: Vec::new(),
        requests: BTreeMap::new(),
        files: BTreeMap::new(),
        directories: BTreeSet::new(),
        url: url.clone(),
    };
    let state = Arc::new(Mutex::new(state));
    let serving = state.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = TcpListener::from_std(listener) else { return };
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accept(stream, tls.clone(), serving.clone()));
            }
        });
    });
    Ok(Simulator { state, url })
}

async fn accept(stream: TcpStream, tls: Option<TlsAcceptor>, state: Arc<Mutex<State>>) {
    match tls {
        None => serve(stream, state).await,
        Some(tls) => {
            // Whoever does not trust us goes away here.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, state).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, state: Arc<Mutex<State>>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let state = state.clone();
        async move { Ok::<_, Infallible>(answer(request, &state).await) }
    });
    // It fails where the peer goes away, or where a fault cuts the answer off: both are the subject of some test.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, state: &Mutex<State>) -> Response<Either<Full<Bytes>, Cut>> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let authorization =
        request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let method = request.method().clone();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let fault = {
        let mut state = lock(state);
        *state.requests.entry(path.clone()).or_default() += 1;
        take_fault(&mut state.faults, &path)
    };
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    let parameters: BTreeMap<String, String> =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (key.to_owned(), decode(value))).collect();
    let honest = route(&method, &path, &parameters, &authorization, &body, &mut lock(state));
    let Some(fault) = fault else { return honest.map(Either::Left) };
    let (head, body) = fault.spoil(honest).await.into_parts();
    let body = if fault.cut { Either::Right(Cut::in_half(body).await) } else { Either::Left(body) };
    Response::from_parts(head, body)
}

fn take_fault(faults: &mut Vec<Fault>, path: &str) -> Option<Fault> {
    let at = faults.iter().position(|fault| path.starts_with(&fault.path))?;
    let fault = faults[at].clone();
    if faults[at].times == 1 {
        faults.remove(at);
    } else if faults[at].times > 1 {
        faults[at].times -= 1;
    }
    Some(fault)
}

fn reply(status: u16, value: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    response
}

fn absent(what: &str, id: &str) -> Response<Full<Bytes>> {
    reply(400, &json!({ "error_code": "INVALID_PARAMETER_VALUE", "message": format!("{what} {id} does not exist") }))
}

const FILES: &str = "/api/2.0/fs/files";
const DIRECTORIES: &str = "/api/2.0/fs/directories";
const SCIM: &str = "/api/2.0/preview/scim/v2/";
const TOKEN: &str = "simulated-access-token";

fn route(
    method: &Method,
    path: &str,
    parameters: &BTreeMap<String, String>,
    authorization: &str,
    body: &[u8],
    state: &mut State,
) -> Response<Full<Bytes>> {
    let parameter = |name: &str| parameters.get(name).cloned().unwrap_or_default();
    let url = state.url.clone();
    match (method, path) {
        (&Method::GET, "/.well-known/openid-configuration") => {
            reply(200, &json!({ "issuer": url, "jwks_uri": format!("{url}/keys"), "token_endpoint": format!("{url}/token") }))
        }
        (&Method::GET, "/keys") => reply(200, &state.issuer.keys()),
        (&Method::POST, "/simulator/mint") => mint(body, state),
        (&Method::POST, "/simulator/fault") => match serde_json::from_slice(body) {
            Ok(fault) => {
                state.faults.push(fault);
                reply(200, &json!({}))
            }
            Err(error) => reply(400, &json!({ "message": error.to_string() })),
        },
        (&Method::GET, "/.well-known/databricks-config") => reply(
            200,
            &json!({ "oidc_endpoint": format!("{url}/oidc"), "account_id": "00000000-0000-0000-0000-000000000000", "workspace_id": "1234567890123456", "cloud": "AWS" }),
        ),
        (&Method::GET, "/oidc/.well-known/oauth-authorization-server") => reply(
            200,
            &json!({ "issuer": format!("{url}/oidc"), "token_endpoint": format!("{url}/oidc/v1/token"), "authorization_endpoint": format!("{url}/oidc/v1/authorize") }),
        ),
        (&Method::POST, "/oidc/v1/token") => {
            let (id, secret) = &state.scenario.client;
            let expected = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
            if authorization == expected {
                reply(200, &json!({ "access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600 }))
            } else {
                reply(401, &json!({ "error": "invalid_client" }))
            }
        }
        _ if authorization != format!("Bearer {TOKEN}") => {
            reply(401, &json!({ "error_code": "UNAUTHENTICATED", "message": "no valid token" }))
        }
        (&Method::GET, path) if path.ends_with("/clusters/get") => {
            find(&state.scenario.clusters, "Cluster", &parameter("cluster_id"))
        }
        (&Method::GET, path) if path.ends_with("/jobs/runs/get") => match state.scenario.runs.get(&parameter("run_id")) {
            Some(run) => reply(200, &page_of(run, &parameter("page_token"))),
            None => absent("Run", &parameter("run_id")),
        },
        (&Method::GET, path) if path.ends_with("/jobs/get") => find(&state.scenario.jobs, "Job", &parameter("job_id")),
        (&Method::GET, path) if path.starts_with(SCIM) => scim(&path[SCIM.len()..], parameters, &state.scenario),
        (&Method::PUT, path) if path.starts_with(FILES) => {
            // A file cannot lie in a directory that nobody made; a volume itself is there.
            let parent = path[FILES.len()..].rsplit_once('/').map_or("", |(parent, _)| parent);
            if parent.split('/').count() > 4 && !state.directories.contains(parent) {
                return reply(404, &json!({ "error_code": "NOT_FOUND", "message": format!("no directory {parent}") }));
            }
            if state.files.contains_key(path) && parameter("overwrite") != "true" {
                return reply(409, &json!({ "error_code": "ALREADY_EXISTS", "message": "the file exists" }));
            }
            state.files.insert(path.to_owned(), body.to_vec());
            reply(204, &Value::Null)
        }
        (&Method::PUT, path) if path.starts_with(DIRECTORIES) => {
            // With all that it lies in.
            let whole = Path::new(path[DIRECTORIES.len()..].trim_end_matches('/'));
            state.directories.extend(whole.ancestors().map(|one| one.to_string_lossy().into_owned()));
            reply(204, &Value::Null)
        }
        (&Method::GET, path) if path.starts_with(DIRECTORIES) => directory(&path[DIRECTORIES.len()..], parameters, state),
        (&Method::GET, path) if path.starts_with(FILES) => match state.files.get(path) {
            Some(file) => Response::new(Full::new(Bytes::from(file.clone()))),
            None => reply(404, &json!({ "error_code": "NOT_FOUND", "message": format!("no file {path}") })),
        },
        (_, path) => reply(404, &json!({ "error_code": "ENDPOINT_NOT_FOUND", "message": path })),
    }
}

/// What lies directly in a directory, a page at a time.
fn directory(path: &str, parameters: &BTreeMap<String, String>, state: &State) -> Response<Full<Bytes>> {
    let path = path.trim_end_matches('/');
    if !state.directories.contains(path) {
        return reply(404, &json!({ "error_code": "NOT_FOUND", "message": format!("no directory {path}") }));
    }
    let inside = |whole: &str| whole.strip_prefix(path)?.strip_prefix('/').filter(|name| !name.contains('/')).map(str::to_owned);
    let files = state.files.iter().filter_map(|(file, bytes)| Some((inside(&file[FILES.len()..])?, Some(bytes.len()))));
    let entries: BTreeMap<String, Option<usize>> =
        files.chain(state.directories.iter().filter_map(|one| Some((inside(one)?, None)))).collect();
    let number = |name: &str| parameters.get(name).and_then(|text| text.parse::<usize>().ok());
    let (begin, size) = (number("page_token").unwrap_or(0), number("page_size").unwrap_or(1000).clamp(1, 1000));
    let contents: Vec<Value> = entries
        .iter()
        .skip(begin)
        .take(size)
        .map(|(name, length)| {
            let mut entry =
                json!({ "path": format!("{path}/{name}"), "name": name, "is_directory": length.is_none(), "last_modified": 0 });
            if let Some(length) = length {
                entry["file_size"] = (*length).into();
            }
            entry
        })
        .collect();
    let mut page = json!({ "contents": contents });
    if begin + size < entries.len() {
        page["next_page_token"] = (begin + size).to_string().into();
    }
    reply(200, &page)
}

/// A run with one page of its tasks: 100, and where the next begins.
fn page_of(run: &Value, token: &str) -> Value {
    const PAGE: usize = 100;
    let begin: usize = token.strip_prefix("from-").and_then(|from| from.parse().ok()).unwrap_or(0);
    let tasks = run["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    let mut page = run.clone();
    if tasks.len() > PAGE {
        page["tasks"] = tasks.iter().skip(begin).take(PAGE).cloned().collect();
    }
    if begin + PAGE < tasks.len() {
        page["next_page_token"] = format!("from-{}", begin + PAGE).into();
    }
    page
}

fn find(documents: &BTreeMap<String, Value>, what: &str, id: &str) -> Response<Full<Bytes>> {
    documents.get(id).map_or_else(|| absent(what, id), |document| reply(200, document))
}

/// RFC 7644 §3.4.2: a page of a collection, of what matches `attribute eq "value"`. A page behind the last is empty.
fn scim(collection: &str, parameters: &BTreeMap<String, String>, scenario: &Scenario) -> Response<Full<Bytes>> {
    let named_by = match collection {
        "Users" => "userName",
        "ServicePrincipals" => "applicationId",
        "Groups" => "displayName",
        _ => return reply(404, &json!({ "error_code": "ENDPOINT_NOT_FOUND", "message": collection })),
    };
    // Users and service principals have display names too.
    let kind = |one: &Value| ["userName", "applicationId"].into_iter().find(|name| one.get(name).is_some());
    let filter = parameters.get("filter").and_then(|filter| filter.split_once(" eq "));
    let value = |quoted: &str| serde_json::from_str(quoted).unwrap_or(Value::Null);
    let matches = |one: &&Value| {
        kind(one).unwrap_or("displayName") == named_by
            && filter.is_none_or(|(attribute, quoted)| one.get(attribute) == Some(&value(quoted)))
    };
    let found: Vec<&Value> = scenario.principals.values().filter(matches).collect();
    let number = |name: &str, otherwise: usize| parameters.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let start = number("startIndex", 1).max(1);
    let page: Vec<&Value> = found.iter().skip(start - 1).take(number("count", 100)).copied().collect();
    reply(
        200,
        &json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": found.len(), "startIndex": start,
            "itemsPerPage": page.len(), "Resources": page,
        }),
    )
}

fn mint(body: &[u8], state: &State) -> Response<Full<Bytes>> {
    let Ok(asked) = serde_json::from_slice::<Value>(body) else { return reply(400, &json!({ "message": "not JSON" })) };
    let text = |name: &str| asked[name].as_str().map_or_else(|| asked[name].to_string(), str::to_owned);
    match state.issuer.mint(&text("header"), &text("claims"), &text("key")) {
        Ok(token) => reply(200, &json!({ "token": token })),
        Err(error) => reply(400, &json!({ "message": error.to_string() })),
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
