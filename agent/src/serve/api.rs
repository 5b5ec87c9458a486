//! The sidecar's socket: HTTP/1.1 and JSON (RFC 9112) over a Unix stream. It answers from what the session last
//! published and never talks to anybody else on a caller's behalf. No caller keeps another one waiting: see [`super::places`].

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

use super::peer::{self, Peer, PeerError};
use super::places::{Places, Whose};
use super::session::{Session, State};

/// A caller has this long to send its request, and once more as long to take the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers callers for ever.
pub async fn answer(listener: UnixListener, session: Rc<RefCell<Session>>) -> Infallible {
    let mut places = Places::default();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let seen = peer::examine(&stream);
                let kept = session.borrow().kept_capabilities();
                let whose = seen.as_ref().map_or(Whose { pid: 0, root: false }, |peer| Whose {
                    pid: peer.pid,
                    root: peer.uid == 0 && !peer.marks.locked(kept),
                });
                let task = tokio::task::spawn_local(serve_one(stream, seen, session.clone()));
                places.take(whose, task.abort_handle());
                // Whoever sent its request with its call is answered before the next one can take its place.
                tokio::task::yield_now().await;
            }
            // Out of descriptors, or the caller went away while it queued: the next one may do better.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve_one(stream: UnixStream, seen: Result<Peer, PeerError>, session: Rc<RefCell<Session>>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let reply = match &seen {
            Ok(seen) => {
                let answer = respond(&request, seen, &mut session.borrow_mut());
                // What is written cannot be taken back: the look at the peer is checked once more before that.
                if seen.still_there() {
                    answer
                } else {
                    refusal(StatusCode::FORBIDDEN, "peer-gone", "the process that connected has ended: connect anew", None)
                }
            }
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
            // Where nothing is locked nobody is of the locked job: by the policy's own word the context is for all to read.
            if session.state != State::Observing && !peer.marks.locked(session.kept_capabilities()) {
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
