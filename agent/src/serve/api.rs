//! The sidecar's socket: HTTP/1.1 and JSON (RFC 9112) over a Unix stream. It answers from what the session last
//! published and never talks to anybody else on a caller's behalf.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};

use super::peer::{self, Peer};
use super::session::Session;

/// No more connections are served at once; further callers wait in the listen queue.
const MOST_CONNECTIONS: usize = 64;
/// A caller has this long to send its request.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers callers for ever.
pub async fn answer(listener: UnixListener, session: Rc<RefCell<Session>>) -> Infallible {
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(MOST_CONNECTIONS));
    loop {
        let place = places.clone().acquire_owned();
        let Ok(place) = place.await else { unreachable!("the semaphore is never closed") };
        match listener.accept().await {
            Ok((stream, _)) => {
                let session = session.clone();
                tokio::task::spawn_local(async move {
                    serve_one(stream, session).await;
                    drop(place);
                });
            }
            // Out of descriptors, or the caller went away while it queued: the next one may do better.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve_one(stream: UnixStream, session: Rc<RefCell<Session>>) {
    let seen = peer::examine(&stream);
    let service = service_fn(move |request: Request<Incoming>| {
        let reply = match &seen {
            Ok(seen) => respond(&request, seen, &mut session.borrow_mut()),
            Err(_) => refusal(StatusCode::FORBIDDEN, "peer-unknown", "the kernel does not say who you are", None),
        };
        async move { Ok::<_, Infallible>(reply) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .keep_alive(false)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    // A caller that breaks off has nobody left to be told.
    let _ = tokio::time::timeout(PATIENCE * 2, connection).await;
}

fn respond<B>(request: &Request<B>, peer: &Peer, session: &mut Session) -> Response<Full<Bytes>> {
    if request.method() != Method::GET {
        return refusal(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this socket answers GET only", None);
    }
    match request.uri().path() {
        "/v1/status" => reply(StatusCode::OK, session.status_json()),
        "/v1/context" => {
            if !peer.marks.locked(session.kept_capabilities()) {
                let entry = session.refused_peer(peer);
                return refusal(
                    StatusCode::FORBIDDEN,
                    "peer-not-locked",
                    "only processes of the locked job may read the context here",
                    entry,
                );
            }
            match session.context_json() {
                Some(json) => reply(StatusCode::OK, json),
                None => refusal(StatusCode::SERVICE_UNAVAILABLE, "context-withdrawn", "this node has no valid context", None),
            }
        }
        _ => refusal(StatusCode::NOT_FOUND, "no-such-path", "known paths: /v1/context, /v1/status", None),
    }
}

/// The workload hears the class and the record's number; the record hears everything.
fn refusal(status: StatusCode, reason: &str, sentence: &str, entry: Option<u64>) -> Response<Full<Bytes>> {
    let mut body = serde_json::json!({ "error": reason, "message": sentence });
    if let Some(entry) = entry {
        body["record"] = entry.into();
    }
    reply(status, body.to_string())
}

fn reply(status: StatusCode, json: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(json)));
    *response.status_mut() = status;
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    response
}
