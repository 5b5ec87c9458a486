//! One caller's line to the registry: connections that are kept, for what the caller asks and for what the gateway itself has to know. There
//! is a second one only while a first is busy with an upload.

use std::cell::RefCell;
use std::rc::Rc;

use aws_lc_rs::digest::{Context as Sha, SHA256};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::hashing::Hashing;
use super::upstream::Upstream;
use crate::gateway::Target;
use crate::model::Digest;
use crate::unverified::Unverified;

/// What is sent on: our own JSON, or an artifact's bytes as they come.
pub(super) type Outgoing = Either<Full<Bytes>, Hashing>;

/// The gateway reads no longer answer to a question of its own, in bytes: a run may have thousands of parameters.
const MOST_ANSWER: usize = 16 * 1024 * 1024;

/// The registry does not answer, or not what it was asked.
#[derive(Debug)]
pub struct Unreachable;

/// The line.
pub struct Line {
    upstream: Rc<Upstream>,
    /// At most two.
    kept: RefCell<Vec<SendRequest<Outgoing>>>,
}

impl Line {
    /// To this registry; not connected yet.
    pub fn new(upstream: Rc<Upstream>) -> Self {
        Self { upstream, kept: RefCell::default() }
    }

    /// With the gateway's own credential. Where the registry does not take a token of the workspace, once more with another one: nothing
    /// was done then. What streams has passed already, and is sent again by whoever sent it.
    pub(super) async fn send(&self, mut request: Request<Outgoing>) -> Result<Response<Incoming>, Unreachable> {
        let shown = self.upstream.credential().await.map_err(|_| Unreachable)?;
        show(&mut request, shown.clone());
        let again = if self.upstream.logs_in() { copy(&request) } else { None };
        let answer = self.carry(request).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || !self.upstream.refused(shown.as_ref()) {
            return Ok(answer);
        }
        let mut request = again.ok_or(Unreachable)?;
        drop(answer);
        show(&mut request, self.upstream.credential().await.map_err(|_| Unreachable)?);
        self.carry(request).await
    }

    /// On a connection that is kept; on a new one where none is free, or has ended meanwhile.
    async fn carry(&self, mut request: Request<Outgoing>) -> Result<Response<Incoming>, Unreachable> {
        while let Some(mut sender) = self.take() {
            if sender.ready().await.is_err() {
                continue;
            }
            match sender.try_send_request(request).await {
                Ok(answer) => {
                    self.kept.borrow_mut().push(sender);
                    return Ok(answer);
                }
                // Not a byte of it was sent, or it cannot be told: then nobody may send it twice.
                Err(mut error) => request = error.take_message().ok_or(Unreachable)?,
            }
        }
        let mut sender = self.upstream.connect().await.map_err(|_| Unreachable)?;
        let answer = sender.send_request(request).await.map_err(|_| Unreachable)?;
        self.kept.borrow_mut().push(sender);
        Ok(answer)
    }

    fn take(&self) -> Option<SendRequest<Outgoing>> {
        self.kept.borrow_mut().pop()
    }

    /// A question of the gateway's own. `None`: the registry has no such thing.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Unverified<Vec<u8>>>, Unreachable> {
        let answer = self.own(Method::GET, &Target::of(path.to_owned(), query), None).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MOST_ANSWER).collect().await.map_err(|_| Unreachable)?;
        match status {
            StatusCode::OK => Ok(Some(Unverified::new(body.to_bytes().to_vec()))),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(Unreachable),
        }
    }

    /// Has the registry keep something of the gateway's own.
    pub(super) async fn put(&self, method: Method, path: String, json: &serde_json::Value) -> Result<(), Unreachable> {
        let answer = self.own(method, &Target::of(path, &[]), Some(json.to_string())).await?;
        let status = answer.status();
        // Read to its end, so that the connection serves again.
        Limited::new(answer.into_body(), MOST_ANSWER).collect().await.map_err(|_| Unreachable)?;
        if status == StatusCode::OK { Ok(()) } else { Err(Unreachable) }
    }

    /// The digest of an artifact. `None`: there is none.
    pub async fn digest(&self, path: &str) -> Result<Option<Digest>, Unreachable> {
        // One that begins with a slash is of the workspace's own files.
        let root = if path.starts_with('/') { "/api/2.0/fs/files" } else { "/api/2.0/mlflow-artifacts/artifacts/" };
        let target = Target::of(format!("{root}{path}"), &[]);
        let answer = self.own(Method::GET, &target, None).await?;
        let status = answer.status();
        let (mut body, mut sha) = (answer.into_body(), Sha::new(&SHA256));
        while let Some(frame) = body.frame().await {
            if let Some(data) = frame.map_err(|_| Unreachable)?.data_ref() {
                sha.update(data);
            }
        }
        match status {
            StatusCode::OK => Ok(sha.finish().as_ref().try_into().ok()),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(Unreachable),
        }
    }

    async fn own(&self, method: Method, target: &Target, json: Option<String>) -> Result<Response<Incoming>, Unreachable> {
        let kind = json.is_some().then(|| HeaderValue::from_static("application/json"));
        let mut request = Request::new(Either::Left(Full::new(Bytes::from(json.unwrap_or_default()))));
        *request.method_mut() = method;
        *request.uri_mut() = target.wire().parse().map_err(|_| Unreachable)?;
        let upstream = &self.upstream;
        let fields = [(header::HOST, Some(upstream.authority.clone())), (header::CONTENT_TYPE, kind)];
        for (name, value) in fields {
            if let Some(value) = value {
                request.headers_mut().insert(name, value);
            }
        }
        self.send(request).await
    }
}

fn show(request: &mut Request<Outgoing>, credential: Option<HeaderValue>) {
    if let Some(value) = credential {
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
}

/// The same once more; `None` for what streams.
fn copy(request: &Request<Outgoing>) -> Option<Request<Outgoing>> {
    let Either::Left(body) = request.body() else { return None };
    let mut copy = Request::new(Either::Left(body.clone()));
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}
