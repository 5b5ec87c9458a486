//! Records what the sampler saw. Absent on nodes that enforce: then it waits for ever.

use std::cell::RefCell;
use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::rc::Rc;

use tokio::io::Interest;
use tokio::net::UnixStream;

use super::session::Session;
use crate::record::Event;
use crate::wire::packet;
use crate::wire::samples::Samples;

/// Packets that are recorded: more than the sampler ever sends.
const MOST_PACKETS: u32 = 1024;

/// Records samples for ever; that the sampler ended is recorded too.
pub async fn listen(socket: Option<OwnedFd>, session: Rc<RefCell<Session>>) -> std::io::Result<Infallible> {
    let Some(socket) = socket else { return Ok(std::future::pending().await) };
    // The same socket, watched.
    let watched = StdStream::from(socket.try_clone()?);
    watched.set_nonblocking(true)?;
    let watched = UnixStream::from_std(watched)?;
    for _ in 0..MOST_PACKETS {
        watched.readable().await?;
        match watched.try_io(Interest::READABLE, || packet::take_ready(&socket)) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(Some(bytes)) => match Samples::decode(&bytes) {
                Some(samples) => note(&session, samples, false),
                None => session.borrow_mut().unrecorded += 1,
            },
            Ok(None) | Err(_) => break,
        }
    }
    note(&session, Samples::default(), true);
    Ok(std::future::pending().await)
}

fn note(session: &Rc<RefCell<Session>>, samples: Samples, ended: bool) {
    let paths = samples.seen.into_iter().map(|(need, path)| format!("{need} {path}")).collect();
    let mut session = session.borrow_mut();
    if !session.recorder.offer(Event::FilesSampled { paths, full: samples.full, ended }) {
        session.unrecorded += 1;
    }
}
