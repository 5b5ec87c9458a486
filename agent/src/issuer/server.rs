//! The issuer's HTTP: four places, everything bounded. Whoever connects has so much time, may send so much, and is one of so
//! many; what it sends is an office's to judge.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::TlsAcceptor;

use super::office::{Issued, Office};
use super::refusal::Refusal;
use super::request;
use super::talk::Talk;

/// So many connections at one time; others wait to be taken.
const CONNECTIONS: usize = 512;
/// For a request's head, and for everything from the connection to the answer.
const HEAD: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);
/// So many bytes of a request that is too large are still taken, and thrown away.
const LINGER: usize = 1024 * 1024;
/// Keys and private halves are looked at so often.
const TURN: Duration = Duration::from_secs(60);
/// Verifiers may keep the key set so long: keys are published earlier than that before they sign.
const KEYS_FRESH: &str = "max-age=300";

/// A front: an office, and who looks at it.
pub struct Front {
    /// What judges.
    pub office: Office,
    /// Whom operators read.
    pub talk: RefCell<Talk<Box<dyn Write>>>,
    /// The store failed: nothing more is answered.
    pub ended: Notify,
}

/// Serves until it is told to end; false when it ended because the store failed.
///
/// # Errors
/// When signals cannot be heard.
pub async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, front: Rc<Front>) -> std::io::Result<bool> {
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let local = tokio::task::LocalSet::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let ended = local.run_until(async {
        tokio::select! {
            never = accept(&listener, tls.as_ref(), &front, &places) => match never {},
            () = turns(&front) => false,
            () = front.ended.notified() => false,
            _ = term.recv() => true,
            _ = interrupt.recv() => true,
        }
    });
    let ended = ended.await;
    if !ended {
        // Whoever was being answered hears it.
        local.run_until(tokio::time::sleep(Duration::from_millis(200))).await;
    }
    Ok(ended)
}

async fn accept(listener: &TcpListener, tls: Option<&TlsAcceptor>, front: &Rc<Front>, places: &Arc<Semaphore>) -> Infallible {
    loop {
        let place = places.clone().acquire_owned().await.expect("nobody closes it");
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (front, tls) = (front.clone(), tls.cloned());
                tokio::task::spawn_local(async move {
                    // A caller that breaks off or is too slow has nobody left to be told.
                    let _ = tokio::time::timeout(WHOLE, connection(stream, peer, tls, front)).await;
                    drop(place);
                });
            }
            // Out of descriptors, or the caller went away while it queued: the next one may do better.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn turns(front: &Front) {
    loop {
        tokio::time::sleep(TURN).await;
        front.office.tidy();
        if let Err(error) = front.office.turn() {
            front.talk.borrow_mut().say(&format!("failed: {error}"), front.office.clock.boot());
            return;
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, front: Rc<Front>) {
    match tls {
        None => exchange(stream, peer, front).await,
        Some(tls) => {
            // Who speaks something else is nobody's node.
            if let Ok(stream) = tls.accept(stream).await {
                exchange(stream, peer, front).await;
            }
        }
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(stream: S, peer: SocketAddr, front: Rc<Front>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let front = front.clone();
        async move { Ok::<_, Infallible>(respond(request, peer, &front).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .keep_alive(false)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    // As above.
    let _ = connection.await;
}

async fn respond(request: Request<Incoming>, peer: SocketAddr, front: &Front) -> Response<Full<Bytes>> {
    let office = &front.office;
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/v1/challenge") => {
            let body = serde_json::json!({ "challenge": office.challenge(), "seconds": super::challenge::LIFE.as_secs() });
            reply(200, "application/json", body.to_string())
        }
        (&Method::GET, "/.well-known/jwks.json") => match office.key_set() {
            Ok(keys) => {
                let mut response = reply(200, "application/jwk-set+json", keys);
                response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(KEYS_FRESH));
                response
            }
            Err(_) => store_failed(front),
        },
        (&Method::GET, "/metrics") => reply(200, "text/plain; version=0.0.4", metrics(office)),
        (&Method::POST, "/v1/certificates") => certify(request, peer, front).await,
        (_, "/v1/challenge" | "/.well-known/jwks.json" | "/metrics" | "/v1/certificates") => refused(&Refusal::MethodNotAllowed),
        _ => refused(&Refusal::NoSuchPath),
    }
}

async fn certify(request: Request<Incoming>, peer: SocketAddr, front: &Front) -> Response<Full<Bytes>> {
    let office = &front.office;
    let mut body = request.into_body();
    let outcome = match Limited::new(&mut body, request::MOST).collect().await {
        Ok(body) => office.certify(&body.to_bytes()).await,
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            // Who is still sending when the connection ends does not hear why.
            let mut left = LINGER;
            while let Some(Ok(frame)) = body.frame().await {
                left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                if left == 0 {
                    break;
                }
            }
            Err((Refusal::Oversized, None))
        }
        Err(_) => Err((Refusal::Malformed("a body that comes whole"), None)),
    };
    let now = office.clock.boot();
    match outcome {
        Ok(Issued { certificate, instance, boot, key, how }) => {
            let (count, word) = match how {
                super::desk::How::New => (&office.counts.certified, "certified"),
                super::desk::How::Renewed => (&office.counts.certified, "renewed"),
                super::desk::How::Again => (&office.counts.again, "answered again"),
            };
            count.set(count.get() + 1);
            front.talk.borrow_mut().say(&format!("{word}: {instance} boot {boot} key {key} from {peer}"), now);
            reply(200, "application/json", serde_json::json!({ "certificate": certificate }).to_string())
        }
        Err((refusal, key)) => {
            office.counts.refused.set(office.counts.refused.get() + 1);
            let word = if refusal.alarms() { "ALARM" } else { "refused" };
            let key = key.unwrap_or_else(|| "none".to_owned());
            front.talk.borrow_mut().say(&format!("{word}: {} key {key} from {peer}", refusal.reason()), now);
            if refusal == Refusal::Store { store_failed(front) } else { refused(&refusal) }
        }
    }
}

fn store_failed(front: &Front) -> Response<Full<Bytes>> {
    front.ended.notify_one();
    refused(&Refusal::Store)
}

/// Prometheus text (exposition format 0.0.4).
fn metrics(office: &Office) -> String {
    let counts = &office.counts;
    let rows = [
        ("certified_total", "certificates that were made since the start", counts.certified.get()),
        ("again_total", "certificates that were given again since the start", counts.again.get()),
        ("refused_total", "requests without a certificate since the start", counts.refused.get()),
        ("alarms_total", "requests for what another key or machine has, since the start", office.desk.borrow().alarms()),
    ];
    rows.map(|(name, help, value)| {
        format!("# HELP longhorn_issuer_{name} {help}\n# TYPE longhorn_issuer_{name} counter\nlonghorn_issuer_{name} {value}\n")
    })
    .concat()
}

fn refused(refusal: &Refusal) -> Response<Full<Bytes>> {
    let body = serde_json::json!({ "error": refusal.reason(), "message": refusal.to_string() });
    let mut response = reply(refusal.status(), "application/json", body.to_string());
    if refusal.status() == 503 {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn reply(status: u16, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
