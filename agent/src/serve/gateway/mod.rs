//! The gateway to MLflow and the model registry: listens on a port of loopback and on a socket, and whoever is of the locked job gets through it what
//! the job may, with a credential that no job ever holds. What may go through is decided in [`crate::gateway`]; here it is carried.

mod evidence;
mod exchange;
mod hashing;
mod keys;
mod known;
mod line;
mod login;
mod origin;
mod peers;
mod promotion;
mod questions;
mod signing;
mod stream;
mod upstream;

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use self::exchange::Exchange;
use self::keys::Keys;
use self::known::Known;
pub use self::line::{Line, Unreachable};
pub use self::login::{Login, LoginQuestion, Ticket};
use self::peers::Peers;
use self::questions::Asks;
pub use self::questions::{Question, questions};
use self::stream::Stream;
pub use self::upstream::{Credential, Upstream};
use super::peer::{self, Peer};
use super::session::Session;
use crate::context::{Context, NodeKey};
use crate::gateway::Table;
use crate::host::paths::HOST_REGISTRY;
use crate::model::Gate;

/// Connections at once; the next ones wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 256;
/// How long a connection may be idle, and a head on its way: longer than clients keep one.
const IDLE: Duration = Duration::from_secs(75);
/// The same for whoever is not of the locked job.
const PATIENCE: Duration = Duration::from_secs(1);
/// No head is longer, in bytes.
const MOST_HEAD: usize = 32 * 1024;

/// What the gateway is made of.
pub struct Gateway {
    /// The listening socket, on loopback.
    pub listener: OwnedFd,
    /// The one in the file system.
    pub socket: OwnedFd,
    /// Where the keeper says who holds the other end of a connection.
    pub holders: OwnedFd,
    /// Where requests go.
    pub upstream: Upstream,
    /// Questions of its login at the workspace, where it logs in there: whoever serves answers them.
    pub logins: Option<mpsc::Receiver<LoginQuestion>>,
    /// What statements are signed with.
    pub key: NodeKey,
    /// What promotions are judged by.
    pub gate: Gate,
    /// The audience of the contexts that are published on nodes.
    pub audience: &'static str,
}

/// What every connection shares.
struct Shared {
    table: Table,
    /// The names that it is reached by on loopback, as a `Host` header has them.
    hosts: Vec<String>,
    /// The same on the socket.
    socket_hosts: Vec<String>,
    upstream: Rc<Upstream>,
    peers: Peers,
    session: Rc<RefCell<Session>>,
    key: NodeKey,
    gate: Gate,
    audience: &'static str,
    keys: Keys,
    asks: Asks,
    known: Known,
    /// The context as it was last seen, and its token as a header.
    token: RefCell<Option<(Rc<Context>, HeaderValue)>>,
}

impl Shared {
    /// The token of a context as a header; made once for each.
    fn token(&self, context: &Rc<Context>) -> Option<HeaderValue> {
        let mut kept = self.token.borrow_mut();
        if !kept.as_ref().is_some_and(|(of, _)| Rc::ptr_eq(of, context)) {
            *kept = HeaderValue::from_str(context.token()).ok().map(|value| (context.clone(), value));
        }
        kept.as_ref().map(|(_, value)| value.clone())
    }
}

/// Serves for ever. Absent where the settings name no registry: then it waits for ever.
///
/// # Errors
/// When the sockets fail; the keeper then starts another sidecar.
pub async fn answer(gateway: Option<Gateway>, asks: Asks, session: Rc<RefCell<Session>>) -> std::io::Result<Infallible> {
    let Some(gateway) = gateway else { return Ok(std::future::pending().await) };
    let listener = StdListener::from(gateway.listener);
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let socket = StdUnixListener::from(gateway.socket);
    socket.set_nonblocking(true)?;
    let socket = UnixListener::from_std(socket)?;
    let port = listener.local_addr()?.port();
    let shared = Rc::new(Shared {
        table: Table::read(),
        hosts: ["127.0.0.1", "localhost"].map(|host| format!("{host}:{port}")).to_vec(),
        socket_hosts: vec![HOST_REGISTRY.to_owned()],
        upstream: Rc::new(gateway.upstream),
        peers: Peers::new(gateway.holders)?,
        session,
        keys: Keys::new(gateway.key.public().clone(), asks.clone()),
        asks,
        key: gateway.key,
        gate: gateway.gate,
        audience: gateway.audience,
        known: Known::default(),
        token: RefCell::new(None),
    });
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
        let caller = tokio::select! {
            by_port = listener.accept() => by_port.map(|(stream, from)| Caller::Port(stream, from)),
            by_socket = socket.accept() => by_socket.map(|(stream, _)| Caller::Socket(stream)),
        };
        match caller {
            Ok(caller) => {
                tokio::task::spawn_local(serve_one(caller, shared.clone(), place));
            }
            // Out of descriptors, or the caller went away while it queued: the next one may do better.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Whoever connected.
enum Caller {
    Port(TcpStream, SocketAddr),
    Socket(UnixStream),
}

impl Caller {
    /// Its connection, and who it is; `None` where that cannot be told.
    async fn known(self, peers: &Peers) -> (Stream, Option<Peer>) {
        match self {
            Self::Port(stream, from) => {
                // Small answers must not wait for each other. Where it is refused it only costs time.
                let _ = stream.set_nodelay(true);
                let peer = peers.of(&stream, from).await;
                (Stream::Port(stream), peer)
            }
            // The kernel says who connected: nobody has to be looked for.
            Self::Socket(stream) => {
                let peer = peer::examine(&stream).ok();
                (Stream::Socket(stream), peer)
            }
        }
    }
}

async fn serve_one(caller: Caller, shared: Rc<Shared>, place: OwnedSemaphorePermit) {
    let (stream, peer) = caller.known(&shared.peers).await;
    // Whoever is not let through hears so once, and takes nobody's place.
    let locked = peer.as_ref().is_some_and(|peer| peer.marks.locked(shared.session.borrow().kept_capabilities()));
    let by_socket = matches!(stream, Stream::Socket(_));
    let exchange = Rc::new(Exchange::new(shared, peer, by_socket, place));
    let service = service_fn(move |request| {
        let exchange = exchange.clone();
        async move { Ok::<_, Infallible>(exchange.serve(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(if locked { IDLE } else { PATIENCE })
        .keep_alive(locked)
        .max_buf_size(MOST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // A caller that breaks off has nobody left to be told.
    let _ = connection.await;
}
