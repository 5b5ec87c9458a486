//! Who is at the other end of a connection on loopback: the keeper finds the process, and what `/proc` shows of that very one says
//! whether it is locked.

use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Mutex;

use crate::serve::peer::{self, Peer};
use crate::wire::holder::{Ends, Holder};
use crate::wire::packet;

/// The keeper has this long to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the keeper.
pub(super) struct Peers {
    /// One question at a time: answers carry no number.
    socket: Mutex<(OwnedFd, UnixStream)>,
}

impl Peers {
    pub(super) fn new(socket: OwnedFd) -> std::io::Result<Self> {
        // The same socket, watched.
        let watched = StdStream::from(socket.try_clone()?);
        watched.set_nonblocking(true)?;
        Ok(Self { socket: Mutex::new((socket, UnixStream::from_std(watched)?)) })
    }

    /// The process that holds the other end; `None` when it cannot be told.
    pub(super) async fn of(&self, stream: &TcpStream, from: SocketAddr) -> Option<Peer> {
        let ours = stream.local_addr().ok()?;
        let holder = self.holder(&Ends { theirs: plain(from)?, ours: plain(ours)? }).await?;
        peer::of_process(&holder).ok()
    }

    async fn holder(&self, ends: &Ends) -> Option<Holder> {
        let held = self.socket.lock().await;
        let (socket, watched) = &*held;
        packet::put(socket, &ends.encode()).ok()?;
        let answer = async {
            loop {
                watched.readable().await.ok()?;
                match watched.try_io(Interest::READABLE, || packet::take_ready(socket)) {
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    // The ends come back with the answer: one that came too late for its question is not taken for the next.
                    Ok(Some(bytes)) => match Holder::decode(&bytes) {
                        Ok((of, holder)) if of == *ends => return holder,
                        Ok(_) => {}
                        Err(_) => return None,
                    },
                    Ok(None) | Err(_) => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, answer).await.ok().flatten()
    }
}

fn plain(end: SocketAddr) -> Option<SocketAddrV4> {
    match end.ip().to_canonical() {
        IpAddr::V4(ip) => Some(SocketAddrV4::new(ip, end.port())),
        IpAddr::V6(_) => None,
    }
}
