//! Connections and faults, on one thread of its own.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::asked::Asked;
use crate::faults::{Cut, Fault};
use crate::issuer::Issuer;
use crate::mlflow;
use crate::routes::route;
use crate::scenario::Scenario;
use crate::state::{Held, State};
use crate::tls;

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

    /// The assertions that clients proved themselves with (RFC 7523).
    pub fn assertions(&self) -> Vec<String> {
        lock(&self.state).assertions.clone()
    }

    /// Takes back every access token that was given.
    pub fn take_back(&self) {
        lock(&self.state).taken_back += 1;
    }

    /// The header about lineage of each version in the catalog, in the order in which they were made.
    pub fn lineages(&self) -> Vec<Option<String>> {
        lock(&self.state).held.catalog.lineages.clone()
    }

    /// What else was said of the lineage of versions.
    pub fn emitted(&self) -> Vec<serde_json::Value> {
        lock(&self.state).held.catalog.emitted.clone()
    }

    /// Writes a file, as somebody who reaches the workspace himself.
    pub fn write(&self, path: &str, bytes: &[u8]) {
        lock(&self.state).held.files.files.insert(path.to_owned(), bytes.to_vec());
    }

    /// Files that were written, by path.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.state).held.files.files.clone()
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
        held: Held::default(),
        assertions: Vec::new(),
        url: url.clone(),
        taken_back: 0,
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
    let headers: BTreeMap<String, String> = (request.headers().iter())
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
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
    let asked = Asked::new(method, &path, &query, headers, body);
    let onward = mlflow::onward(&asked, &query, &lock(state));
    let honest = if let Some(onward) = onward {
        match onward {
            Ok(onward) => mlflow::carry(onward).await,
            Err(refused) => refused,
        }
    } else {
        let mut state = lock(state);
        // Who is told to come back later was not served; whoever heard something else may have been.
        let before = fault.as_ref().and_then(|fault| fault.turns_away().then(|| state.held.clone()));
        let honest = route(&asked, &mut state);
        if let Some(before) = before {
            state.held = before;
        }
        honest
    };
    let Some(fault) = fault else { return honest.map(Either::Left) };
    let (head, body) = fault.spoil(honest).await.into_parts();
    let body = if fault.cut { Either::Right(Cut::in_half(body).await) } else { Either::Left(body) };
    Response::from_parts(head, body)
}

fn take_fault(faults: &mut Vec<Fault>, path: &str) -> Option<Fault> {
    // The root is one path and no beginning of all others.
    let at = faults.iter().position(|fault| path.starts_with(&fault.path) && (fault.path != "/" || path == "/"))?;
    let fault = faults[at].clone();
    if faults[at].times == 1 {
        faults.remove(at);
    } else if faults[at].times > 1 {
        faults[at].times -= 1;
    }
    Some(fault)
}
