//! What tries, from inside the lock, whether a job could ask the cloud's metadata service: every way that leads to a TCP
//! port, at both of the service's addresses. What `init` does not find closed is open.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use longhorn_sys::socket;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrIn, SockaddrIn6, SockaddrLike, connect, getsockopt, sendto, sockopt,
};

use super::network::PORT;
use crate::host::clock::{Clock, SystemClock};

/// Where clouds answer machines about themselves: AWS, Azure and Google alike, and AWS once more.
const SERVICE: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const SERVICE_6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
/// A metadata service is on the same host and answers in a millisecond; what is filtered does not answer at all.
const PATIENCE: Duration = Duration::from_millis(500);

/// How somebody reaches a TCP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// socket(2), connect(2).
    Connect,
    /// Data together with the first packet (RFC 7413): connects in sendto(2), where no rule of Landlock's looks.
    FastOpen,
    /// Multipath TCP (RFC 8684), which falls back to plain TCP: a socket of another kind for Landlock.
    Multipath,
}

/// The ways that lead from this process to the metadata service, in words. All are tried at once; what neither answers nor
/// refuses in time is closed.
///
/// # Errors
/// When the kernel lets nothing be waited for.
pub fn ways_to_metadata() -> io::Result<Vec<String>> {
    let addresses: [(&str, AddressFamily, Box<dyn SockaddrLike>); 2] = [
        ("IPv4", AddressFamily::Inet, Box::new(SockaddrIn::from(SocketAddrV4::new(SERVICE, PORT)))),
        ("IPv6", AddressFamily::Inet6, Box::new(SockaddrIn6::from(SocketAddrV6::new(SERVICE_6, PORT, 0, 0)))),
    ];
    let ways = [(Way::Connect, "connect"), (Way::FastOpen, "TCP Fast Open"), (Way::Multipath, "Multipath TCP")];
    let mut waiting = Vec::new();
    for (protocol, family, address) in &addresses {
        for (way, word) in ways {
            // What cannot even begin is closed: no such protocol here, or denied.
            if let Ok(socket) = begin(way, *family, address.as_ref()) {
                waiting.push((format!("{word} over {protocol}"), socket));
            }
        }
    }
    led(waiting)
}

/// A connection that is on its way.
fn begin(way: Way, family: AddressFamily, address: &dyn SockaddrLike) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = match way {
        Way::Connect | Way::FastOpen => nix::sys::socket::socket(family, SockType::Stream, flags, None)?,
        Way::Multipath => socket::multipath(family as i32, flags.bits())?,
    };
    let begun = match way {
        Way::Connect | Way::Multipath => connect(socket.as_raw_fd(), address),
        Way::FastOpen => {
            let now = MsgFlags::from_bits_retain(libc::MSG_FASTOPEN);
            sendto(socket.as_raw_fd(), b"GET / HTTP/1.0\r\n\r\n", address, now).map(drop)
        }
    };
    match begun {
        Ok(()) | Err(nix::errno::Errno::EINPROGRESS) => Ok(socket),
        Err(errno) => Err(errno.into()),
    }
}

/// Those that connected within our patience.
fn led(mut waiting: Vec<(String, OwnedFd)>) -> io::Result<Vec<String>> {
    let until = SystemClock.boot().plus(PATIENCE);
    let mut open = Vec::new();
    while !waiting.is_empty() {
        let left = Duration::from_nanos(until.0.saturating_sub(SystemClock.boot().0));
        let mut asked: Vec<PollFd<'_>> = waiting.iter().map(|(_, fd)| PollFd::new(fd.as_fd(), PollFlags::POLLOUT)).collect();
        let timeout = PollTimeout::try_from(left.as_millis()).map_err(io::Error::other)?;
        match poll(&mut asked, timeout) {
            Ok(0) => break,
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        let ready: Vec<bool> = asked.iter().map(|one| one.any().unwrap_or(true)).collect();
        let mut ready = ready.into_iter();
        let (done, still): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|_| ready.next().unwrap_or(false));
        waiting = still;
        open.extend(done.into_iter().filter(|(_, fd)| getsockopt(fd, sockopt::SocketError) == Ok(0)).map(|(way, _)| way));
    }
    open.sort();
    Ok(open)
}
