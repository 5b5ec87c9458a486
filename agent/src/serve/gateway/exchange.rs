//! One connection's requests, one after the other: each is understood, decided about, written anew and sent on, or answered with a
//! denial that is on record.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::response;
use hyper::{Request, Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

use super::Shared;
use super::evidence::Held;
use super::hashing::{Ending, Hashing, Reached};
use super::known::FRESH;
use super::line::{Line, Outgoing, Unreachable};
use super::signing::Due;
use crate::context::Context;
use crate::gateway::{Allowed, Ask, Asked, Body, Denial, MOST_BODY, decide, own_answer, permit};
use crate::model::{LINEAGE, Unread};
use crate::record::Event;
use crate::record::event::Process;
use crate::serve::peer::Peer;
use crate::unverified::Unverified;

/// A body of JSON has this long to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// An artifact may take as long as it takes, and no longer between two pieces.
const STALLED: Duration = Duration::from_secs(60);
/// Of a caller's headers these go on, and the type of an artifact; everything else could speak for the gateway or route the request.
const ONWARD: &[HeaderName] =
    &[header::ACCEPT, header::ACCEPT_ENCODING, header::USER_AGENT, header::RANGE, header::IF_NONE_MATCH, header::IF_RANGE];
/// Of an answer's headers these come back.
const BACK: &[HeaderName] = &[
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::CONTENT_DISPOSITION,
    header::CONTENT_RANGE,
    header::CONTENT_LENGTH,
    header::ACCEPT_RANGES,
    header::ETAG,
    header::LAST_MODIFIED,
    header::RETRY_AFTER,
];
/// The workspace's id: MLflow's client links a version of a model to its run by it.
const ORGANISATION: HeaderName = HeaderName::from_static("x-databricks-org-id");
/// The verified context of the job, for a registry that checks it.
const CONTEXT: HeaderName = HeaderName::from_static("x-longhorn-context");

pub(super) type Answer = Response<Either<Full<Bytes>, Incoming>>;

/// One connection.
pub(super) struct Exchange {
    pub(super) shared: Rc<Shared>,
    /// Who is at its other end; `None` where that could not be told.
    peer: Option<Peer>,
    /// Whether it came by the socket.
    by_socket: bool,
    /// Among all connections; kept while a request goes on whose caller went away.
    _place: OwnedSemaphorePermit,
    /// Its way to the registry.
    pub(super) line: Line,
}

/// Why a request is not answered by the registry.
pub(super) enum Stop {
    /// By decision: with the endpoint, as far as it is known.
    Denied(&'static str, Denial),
    /// What has to be there is not, now: in one sentence.
    Failed(&'static str),
}

impl Stop {
    pub(super) fn unreachable() -> Self {
        Self::Failed("the registry does not answer what it was asked")
    }

    fn at(self, endpoint: &'static str) -> Self {
        match self {
            Self::Denied(_, denial) => Self::Denied(endpoint, denial),
            Self::Failed(sentence) => Self::Failed(sentence),
        }
    }
}

impl From<Unreachable> for Stop {
    fn from(_: Unreachable) -> Self {
        Self::Failed("the registry does not answer")
    }
}

/// What cannot be understood now cannot be understood in a moment: no client should try seven times.
impl From<Unread> for Stop {
    fn from(unread: Unread) -> Self {
        Self::Denied("", Denial::refused("registry-unintelligible", unread.to_string()))
    }
}

impl Exchange {
    pub(super) fn new(shared: Rc<Shared>, peer: Option<Peer>, by_socket: bool, place: OwnedSemaphorePermit) -> Self {
        Self { line: Line::new(shared.upstream.clone()), shared, peer, by_socket, _place: place }
    }

    /// What may write goes on to its end in a task of its own, whoever goes away meanwhile: whoever seals must not look before the registry
    /// has stored. Where the task ends otherwise, what it held is let go.
    pub(super) async fn serve(self: Rc<Self>, request: Request<Incoming>) -> Answer {
        if request.method().is_safe() {
            return self.answer(request).await;
        }
        let going = tokio::task::spawn_local(async move { self.answer(request).await });
        going.await.unwrap_or_else(|_| unavailable("the request came to no end"))
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let method = request.method().clone();
        match self.pass(request).await {
            Ok(answer) => answer,
            Err(Stop::Denied(endpoint, denial)) => self.refuse(method.as_str(), endpoint, &denial).await,
            Err(Stop::Failed(sentence)) => unavailable(sentence),
        }
    }

    async fn pass(&self, request: Request<Incoming>) -> Result<Answer, Stop> {
        let unknown = |denial| Stop::Denied("", denial);
        let context = self.standing().map_err(unknown)?;
        let permissions = &context.claims().permissions;
        let (parts, incoming) = request.into_parts();
        let headers = onward(&parts.headers);
        let parts = Unverified::<Parts>::new(parts);
        let hosts = if self.by_socket { &self.shared.socket_hosts } else { &self.shared.hosts };
        let ask = Ask::read(&parts, &self.shared.table, hosts).map_err(unknown)?;
        let path = ask.endpoint().path;
        let denied = |denial| Stop::Denied(path, denial);
        // Before the body is waited for.
        permit(ask.endpoint().action, permissions).map_err(denied)?;
        if let Some(document) = own_answer(path, &self.shared.hosts) {
            return Ok(reply(StatusCode::OK, document));
        }
        let (bytes, stream) = match ask.body() {
            Body::Json => (whole(incoming).await.map_err(denied)?, None),
            Body::None => (Bytes::new(), None),
            Body::Stream => (Bytes::new(), Some(incoming)),
        };
        let asked = Asked::read(ask, &Unverified::new(bytes), &self.shared.table).map_err(denied)?;
        let mut allowed = decide(asked, permissions).map_err(denied)?;
        // Here it can be told why there is none.
        self.shared.upstream.credential().await.map_err(|why| self.no_login(why))?;
        // What has an end to hold back is decided about there once more; everything else is looked at as it is now.
        let fresh = if stream.as_ref().is_some_and(|body| !body.is_end_stream()) { FRESH } else { Duration::ZERO };
        let mut held = self.before(&mut allowed, &context, fresh).await.map_err(|stop| stop.at(path))?;
        let (request, ending) = self.onward(allowed, stream, headers, &context, &mut held);
        let answer = match ending {
            Some(ending) => self.upload(request, ending, &held, &context).await.map_err(|stop| stop.at(path))?,
            None => self.line.send(request).await?,
        };
        // Nothing was asked that an upgrade or a promise answers.
        if answer.status().is_informational() {
            return Err(Stop::unreachable());
        }
        // Where a server sends its callers, the gateway's callers do not go: it would be past the gateway.
        if answer.status().is_redirection() && answer.status() != StatusCode::NOT_MODIFIED {
            return Err(denied(Denial::redirected()));
        }
        let (parts, incoming) = answer.into_parts();
        if held.due.is_empty() || !parts.status.is_success() {
            return Ok(returned(&parts, Either::Right(incoming)));
        }
        let body = Limited::new(incoming, MOST_BODY).collect().await.map_err(|_| Stop::unreachable())?.to_bytes();
        let said = Unverified::new(body.to_vec());
        for due in std::mem::take(&mut held.due) {
            self.after(due, &said, &context).await.map_err(|stop| stop.at(path))?;
        }
        Ok(returned(&parts, Either::Left(Full::new(body))))
    }

    /// An upload is decided about twice: where it begins, and when all of it is here and the registry waits for the last piece. Whoever holds
    /// that back meanwhile changes nothing that was sealed or registered since.
    async fn upload(
        &self,
        request: Request<Outgoing>,
        ending: Ending,
        held: &Held,
        context: &Context,
    ) -> Result<Response<Incoming>, Stop> {
        let Ending { reached, release } = ending;
        let decided = async {
            match reached.await {
                Ok(Reached::Last) => self.still(held, context).await,
                Ok(Reached::Stalled) => Err(self.denied_because(
                    "body-stalled",
                    "nothing of the file came for a minute, and the upload was broken off; send it anew",
                )),
                // It ended otherwise, and whoever sends it hears how.
                Err(_) => std::future::pending().await,
            }
        };
        let mut sending = pin!(self.line.send(request));
        let decided = tokio::select! {
            biased;
            decided = decided => decided,
            // Before its end: what comes after it goes nowhere.
            answer = &mut sending => return Ok(answer?),
        };
        match decided {
            Ok(()) => {
                // Where the body is gone, so is the connection.
                let _ = release.send(());
                Ok(sending.await?)
            }
            Err(stop) => {
                drop(release);
                // The connection has ended by then: nobody waits for a turn longer than that, and nobody gets one sooner.
                drop(sending.await);
                Err(stop)
            }
        }
    }

    /// The job's context; a denial for whoever is not of the locked job.
    fn standing(&self) -> Result<Rc<Context>, Denial> {
        let session = self.shared.session.borrow();
        let locked = |peer: &Peer| peer.marks.locked(session.kept_capabilities()) && peer.still_there();
        if !self.peer.as_ref().is_some_and(locked) {
            return Err(Denial::not_locked());
        }
        session.context.clone().ok_or_else(Denial::withdrawn)
    }

    pub(super) fn now(&self) -> i64 {
        self.shared.session.borrow().clock.now().seconds()
    }

    pub(super) fn process(&self) -> Process {
        self.peer.as_ref().map_or(Process { pid: 0, uid: 0 }, |peer| Process { pid: peer.pid, uid: peer.uid })
    }

    pub(super) fn denied(&self, denial: Denial) -> Stop {
        Stop::Denied("", denial)
    }

    pub(super) fn denied_because(&self, reason: &'static str, sentence: &'static str) -> Stop {
        self.denied(Denial::refused(reason, sentence))
    }

    /// Whoever looks at `longhorn status` sees it, too.
    fn no_login(&self, why: &'static str) -> Stop {
        self.shared.session.borrow_mut().last_failure = Some("registry-login-failed".to_owned());
        Stop::Failed(why)
    }

    fn onward(
        &self,
        mut allowed: Allowed<'_>,
        stream: Option<Incoming>,
        mut headers: HeaderMap,
        context: &Rc<Context>,
        held: &mut Held,
    ) -> (Request<Outgoing>, Option<Ending>) {
        let body = allowed.body();
        let kind = match (&body, &stream) {
            (Some(_), _) => Some(HeaderValue::from_static("application/json")),
            (None, Some(_)) => headers.remove(header::CONTENT_TYPE),
            (None, None) => None,
        };
        let (outgoing, ending) = match stream {
            Some(stream) => {
                let (hashing, digest, ending) = Hashing::new(stream, STALLED);
                if let [Due::File { found, .. }] = &mut held.due[..] {
                    *found = Some(digest);
                }
                (Either::Right(hashing), Some(ending))
            }
            None => (Either::Left(Full::new(Bytes::from(body.unwrap_or_default()))), None),
        };
        let mut request = Request::new(outgoing);
        *request.method_mut() = allowed.endpoint().method.parse().expect("the table's methods are HTTP's");
        *request.uri_mut() = allowed.wire().parse().expect("a target that was written anew is one");
        headers.remove(header::CONTENT_TYPE);
        let fields = request.headers_mut();
        *fields = headers;
        fields.insert(header::HOST, self.shared.upstream.authority.clone());
        let own = [
            (header::CONTENT_TYPE, kind),
            (CONTEXT, self.shared.token(context)),
            (HeaderName::from_static(LINEAGE), held.lineage.take()),
        ];
        for (name, value) in own {
            if let Some(value) = value {
                fields.insert(name, value);
            }
        }
        (request, ending)
    }

    /// On record first, so that the caller hears its number.
    async fn refuse(&self, method: &str, endpoint: &str, denial: &Denial) -> Answer {
        let event = Event::RequestRefused {
            process: self.process(),
            method: method.chars().take(16).collect(),
            endpoint: endpoint.to_owned(),
            reason: denial.reason.to_owned(),
        };
        let recorder = self.shared.session.borrow_mut().recorder_of_request();
        let entry = match recorder {
            Some(recorder) => recorder.record(event).await.ok().map(|recorded| recorded.seq()),
            None => None,
        };
        let status = StatusCode::from_u16(denial.status()).unwrap_or(StatusCode::FORBIDDEN);
        reply(status, denial.body(entry))
    }
}

/// What of a caller's headers goes on.
fn onward(headers: &HeaderMap) -> HeaderMap {
    let of = |name: &HeaderName| Some((name.clone(), headers.get(name)?.clone()));
    ONWARD.iter().chain([&header::CONTENT_TYPE]).filter_map(of).collect()
}

async fn whole(incoming: Incoming) -> Result<Bytes, Denial> {
    match tokio::time::timeout(PATIENCE, read(incoming)).await {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) | Err(_) => Err(Denial::body_unread()),
    }
}

/// Most bodies come in one piece, and are not copied. `None`: broken off, or too long.
async fn read(mut incoming: Incoming) -> Option<Bytes> {
    let Some(first) = incoming.frame().await else { return Some(Bytes::new()) };
    let first = first.ok()?.into_data().unwrap_or_default();
    if incoming.is_end_stream() {
        return Some(first).filter(|body| body.len() <= MOST_BODY);
    }
    let rest = Limited::new(incoming, MOST_BODY.checked_sub(first.len())?).collect().await.ok()?.to_bytes();
    Some([first, rest].concat().into())
}

fn returned(parts: &response::Parts, body: Either<Full<Bytes>, Incoming>) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = parts.status;
    for name in BACK.iter().chain([&ORGANISATION]) {
        if let Some(value) = parts.headers.get(name) {
            answer.headers_mut().insert(name.clone(), value.clone());
        }
    }
    answer
}

fn unavailable(sentence: &str) -> Answer {
    let body = serde_json::json!({
        "error_code": "TEMPORARILY_UNAVAILABLE",
        "message": format!("longhorn: {sentence}"),
    });
    reply(StatusCode::SERVICE_UNAVAILABLE, body.to_string())
}

fn reply(status: StatusCode, json: String) -> Answer {
    let mut response = Response::new(Either::Left(Full::new(Bytes::from(json))));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
