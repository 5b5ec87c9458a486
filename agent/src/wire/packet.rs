//! One message, one packet: `SOCK_SEQPACKET` pairs keep message borders, so there is no framing to get wrong.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};

/// No packet is longer.
pub const MOST: usize = 96 * 1024;

/// A connected pair of packet sockets, close-on-exec.
///
/// # Errors
/// When the kernel has no more descriptors.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?)
}

/// Sends one packet.
///
/// # Errors
/// When it is longer than [`MOST`] or nobody listens.
pub fn put(socket: &OwnedFd, packet: &[u8]) -> io::Result<()> {
    if packet.len() > MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the packet is too long"));
    }
    loop {
        match send(socket.as_raw_fd(), packet, MsgFlags::MSG_NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Receives one packet; `None` when the other side is gone.
///
/// # Errors
/// `TimedOut` when nothing comes in time, `InvalidData` when the packet is longer than [`MOST`].
pub fn take(socket: &OwnedFd, within: Duration) -> io::Result<Option<Vec<u8>>> {
    // No packet is waited for longer than days; the kernel takes milliseconds in an i32.
    let within = PollTimeout::try_from(within).unwrap_or(PollTimeout::MAX);
    loop {
        match poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], within) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => break,
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    take_ready(socket)
}

/// Receives the packet that is there; `None` when the other side is gone.
///
/// # Errors
/// `WouldBlock` when there is none, `InvalidData` when it is longer than [`MOST`].
pub fn take_ready(socket: &OwnedFd) -> io::Result<Option<Vec<u8>>> {
    let mut packet = vec![0u8; MOST + 1];
    loop {
        match recv(socket.as_raw_fd(), &mut packet, MsgFlags::MSG_DONTWAIT) {
            // A packet of no bytes cannot be told from the end; no message is empty.
            Ok(0) | Err(nix::errno::Errno::ECONNRESET) => return Ok(None),
            Ok(length) if length > MOST => return Err(io::ErrorKind::InvalidData.into()),
            Ok(length) => {
                packet.truncate(length);
                return Ok(Some(packet));
            }
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
