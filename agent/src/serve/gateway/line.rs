//! One caller's line to the registry: connections that are kept, for what the caller asks and for what the gateway itself has to know. There
//! is a second one only while a first is busy with an upload.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use aws_lc_rs::digest::{Context as Sha, SHA256};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::timeout;

use super::hashing::Hashing;
use super::upstream::Upstream;
use crate::gateway::Target;
use crate::host::origin::ConnectError;
use crate::model::Digest;
use crate::unverified::Unverified;

/// What is sent on: our own JSON, or an artifact's bytes as they come.
pub(super) type Outgoing = Either<Full<Bytes>, Hashing>;

/// The gateway reads no longer answer to a question of its own, in bytes: a run may have thousands of parameters.
const MOST_ANSWER: usize = 16 * 1024 * 1024;

/// How long a question of the gateway's own waits. It may hold a turn meanwhile, for which jobs wait. What streams for a job waits as long
/// as the job does.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// For an answer, whole.
    answer: Duration,
    /// For an artifact to begin: MLflow's own server fetches all of it from its store before it sends the first byte.
    beginning: Duration,
    /// Between two pieces of an artifact, which may have gigabytes.
    silence: Duration,
}

const PATIENCE: Patience =
    Patience { answer: Duration::from_secs(20), beginning: Duration::from_secs(300), silence: Duration::from_secs(20) };

/// The registry does not answer, or not what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// The gateway has nothing to show it.
    #[error("no login at the workspace")]
    Login,
    /// Nothing that stands in a request.
    #[error("a name that no request can hold")]
    Name,
    /// Nobody there, or no trust in who is.
    #[error("no connection")]
    Connect(#[source] ConnectError),
    /// The connection ended before the answer did, or what came is no answer, or one that is too long.
    #[error("no answer in HTTP, or one that breaks off or is too long")]
    Broken,
    /// Nothing, or not all of it.
    #[error("no answer in time")]
    Silent,
    /// An answer with this status.
    #[error("status {0}")]
    Status(u16),
}

/// The line.
pub struct Line {
    upstream: Rc<Upstream>,
    /// At most two.
    kept: RefCell<Vec<SendRequest<Outgoing>>>,
    patience: Patience,
}

impl Line {
    /// To this registry; not connected yet.
    pub fn new(upstream: Rc<Upstream>) -> Self {
        Self { upstream, kept: RefCell::default(), patience: PATIENCE }
    }

    /// With the gateway's own credential. Where the registry does not take a token of the workspace, once more with another one: nothing
    /// was done then. What streams has passed already, and is sent again by whoever sent it.
    pub(super) async fn send(&self, mut request: Request<Outgoing>) -> Result<Response<Incoming>, Unreachable> {
        let shown = self.upstream.credential().await.map_err(|_| Unreachable::Login)?;
        show(&mut request, shown.clone());
        let again = if self.upstream.logs_in() { copy(&request) } else { None };
        let answer = self.carry(request).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || !self.upstream.refused(shown.as_ref()) {
            return Ok(answer);
        }
        let mut request = again.ok_or(Unreachable::Status(answer.status().as_u16()))?;
        drop(answer);
        show(&mut request, self.upstream.credential().await.map_err(|_| Unreachable::Login)?);
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
                Err(mut error) => request = error.take_message().ok_or(Unreachable::Broken)?,
            }
        }
        let mut sender = self.upstream.connect().await.map_err(Unreachable::Connect)?;
        let answer = sender.send_request(request).await.map_err(|_| Unreachable::Broken)?;
        self.kept.borrow_mut().push(sender);
        Ok(answer)
    }

    fn take(&self) -> Option<SendRequest<Outgoing>> {
        self.kept.borrow_mut().pop()
    }

    /// A question of the gateway's own. `None`: the registry has no such thing.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Unverified<Vec<u8>>>, Unreachable> {
        let (status, body) = self.whole(Method::GET, Target::of(path.to_owned(), query), None).await?;
        match status {
            StatusCode::OK => Ok(Some(Unverified::new(body.to_vec()))),
            StatusCode::NOT_FOUND => Ok(None),
            other => Err(Unreachable::Status(other.as_u16())),
        }
    }

    /// Has the registry keep something of the gateway's own.
    pub(super) async fn put(&self, method: Method, path: String, json: &serde_json::Value) -> Result<(), Unreachable> {
        let (status, _) = self.whole(method, Target::of(path, &[]), Some(json.to_string())).await?;
        if status == StatusCode::OK { Ok(()) } else { Err(Unreachable::Status(status.as_u16())) }
    }

    /// The digest of an artifact. `None`: there is none.
    pub async fn digest(&self, path: &str) -> Result<Option<Digest>, Unreachable> {
        // One that begins with a slash is of the workspace's own files.
        let root = if path.starts_with('/') { "/api/2.0/fs/files" } else { "/api/2.0/mlflow-artifacts/artifacts/" };
        let target = Target::of(format!("{root}{path}"), &[]);
        let Patience { answer, beginning, silence } = self.patience;
        let begun = self.within(beginning, self.own(Method::GET, &target, None)).await?;
        let (status, mut body) = (begun.status(), begun.into_body());
        if status != StatusCode::OK {
            // No artifact, so it is short.
            self.within(answer, read(body)).await?;
            return if status == StatusCode::NOT_FOUND { Ok(None) } else { Err(Unreachable::Status(status.as_u16())) };
        }
        let mut sha = Sha::new(&SHA256);
        while let Some(frame) = self.within(silence, async { Ok(body.frame().await) }).await? {
            if let Some(data) = frame.map_err(|_| Unreachable::Broken)?.data_ref() {
                sha.update(data);
            }
        }
        Ok(sha.finish().as_ref().try_into().ok())
    }

    /// A question and all that is answered, in time.
    async fn whole(&self, method: Method, target: Target, json: Option<String>) -> Result<(StatusCode, Bytes), Unreachable> {
        let answered = async {
            let answer = self.own(method, &target, json).await?;
            let status = answer.status();
            Ok((status, read(answer.into_body()).await?))
        };
        self.within(self.patience.answer, answered).await
    }

    /// What is not there in time is given up, and so is the connection that it would come by.
    async fn within<T>(&self, most: Duration, answer: impl Future<Output = Result<T, Unreachable>>) -> Result<T, Unreachable> {
        timeout(most, answer).await.unwrap_or_else(|_| {
            self.kept.borrow_mut().clear();
            Err(Unreachable::Silent)
        })
    }

    async fn own(&self, method: Method, target: &Target, json: Option<String>) -> Result<Response<Incoming>, Unreachable> {
        let kind = json.is_some().then(|| HeaderValue::from_static("application/json"));
        let mut request = Request::new(Either::Left(Full::new(Bytes::from(json.unwrap_or_default()))));
        *request.method_mut() = method;
        *request.uri_mut() = target.wire().parse().map_err(|_| Unreachable::Name)?;
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

/// To its end, so that the connection serves again.
async fn read(body: Incoming) -> Result<Bytes, Unreachable> {
    Ok(Limited::new(body, MOST_ANSWER).collect().await.map_err(|_| Unreachable::Broken)?.to_bytes())
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread::sleep;

    use super::super::Credential;
    use super::*;

    const SHORT: Patience = Patience {
        answer: Duration::from_millis(400),
        beginning: Duration::from_millis(800),
        silence: Duration::from_millis(400),
    };
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";

    /// What comes of a question to a registry that does so with each connection once it was asked.
    fn asked<T>(does: fn(&mut TcpStream), question: impl AsyncFnOnce(&Line) -> T) -> T {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // The question is short: one piece.
                let _ = stream.read(&mut [0; 4096]);
                std::thread::spawn(move || does(&mut stream));
            }
        });
        let upstream = Upstream::new(&origin, crate::host::http::tls(None).unwrap(), Credential::None).unwrap();
        let line = Line { patience: SHORT, ..Line::new(Rc::new(upstream)) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(question(&line))
    }

    fn silent(_: &mut TcpStream) {
        sleep(Duration::from_secs(5));
    }

    /// A byte now and then, each sooner than a silence is long; ten take longer than an answer may.
    fn trickling(stream: &mut TcpStream) {
        stream.write_all(HEAD).unwrap();
        for _ in 0..10 {
            sleep(Duration::from_millis(100));
            // Whoever asked may be gone.
            let _ = stream.write_all(b"a");
        }
    }

    fn falling_silent(stream: &mut TcpStream) {
        stream.write_all(HEAD).unwrap();
        stream.write_all(b"aaa").unwrap();
        sleep(Duration::from_secs(5));
    }

    #[test]
    fn a_question_to_a_registry_that_is_silent_or_trickles_ends() {
        for does in [silent, trickling, falling_silent] {
            let told = asked(does, async |line| line.get("/a", &[]).await.map(|_| ()));
            assert!(matches!(told, Err(Unreachable::Silent)), "{told:?}");
            let told = asked(does, async |line| line.put(Method::POST, "/a".into(), &serde_json::json!({})).await);
            assert!(matches!(told, Err(Unreachable::Silent)), "{told:?}");
        }
    }

    #[test]
    fn an_artifact_may_take_long_and_may_not_fall_silent() {
        let told = asked(trickling, async |line| line.digest("a").await);
        assert_eq!(told.unwrap(), Some(aws_lc_rs::digest::digest(&SHA256, b"aaaaaaaaaa").as_ref().try_into().unwrap()));
        for does in [silent, falling_silent] {
            let told = asked(does, async |line| line.digest("a").await);
            assert!(matches!(told, Err(Unreachable::Silent)), "{told:?}");
        }
    }

    #[test]
    fn what_was_given_up_does_not_answer_the_next_question() {
        let (first, second) =
            asked(falling_silent, async |line| (line.get("/a", &[]).await.map(|_| ()), line.kept.borrow().is_empty()));
        assert!(matches!(first, Err(Unreachable::Silent)) && second);
    }

    #[test]
    fn another_status_is_named() {
        let told = asked(
            |stream| stream.write_all(b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n").unwrap(),
            async |line| line.get("/a", &[]).await.map(|_| ()),
        );
        assert_eq!(told.unwrap_err().to_string(), "status 401");
    }
}
