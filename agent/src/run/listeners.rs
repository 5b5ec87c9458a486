//! TCP ports that somebody listens on. The kernel is asked for these alone (sock_diag(7)): its tables under `/proc/net` also walk
//! every place that a connection could have, which costs more than all else that `init` does.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

/// The state of a listening socket (include/net/tcp_states.h).
const LISTEN: u32 = 10;
/// SOCK_DIAG_BY_FAMILY: the request, and each answer to it.
const BY_FAMILY: u16 = 20;
/// NLMSG_DONE: the last message.
const DONE: u16 = 3;
const HEADER: usize = 16;
/// More than the kernel puts into one datagram of a dump.
const DATAGRAM: usize = 64 * 1024;

/// The ports, in no order.
pub fn listeners() -> Vec<u16> {
    let asked: io::Result<Vec<Vec<u16>>> = [nix::libc::AF_INET, nix::libc::AF_INET6].into_iter().map(ask).collect();
    // A kernel may be built without socket diagnostics.
    asked.map_or_else(|_| from_tables(), |ports| ports.concat())
}

fn ask(family: i32) -> io::Result<Vec<u16>> {
    let kernel = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)?;
    send(kernel.as_raw_fd(), &request(family), MsgFlags::empty())?;
    let (mut ports, mut datagram) = (Vec::new(), vec![0; DATAGRAM]);
    loop {
        let length = recv(kernel.as_raw_fd(), &mut datagram, MsgFlags::empty())?;
        if read(&datagram[..length], &mut ports).ok_or(io::ErrorKind::InvalidData)? {
            return Ok(ports);
        }
    }
}

/// `nlmsghdr` and `inet_diag_req_v2`: every listening socket of a family.
fn request(family: i32) -> [u8; 72] {
    let mut request = [0; 72];
    request[..4].copy_from_slice(&72u32.to_ne_bytes());
    request[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
    // NLM_F_REQUEST, NLM_F_DUMP.
    request[6..8].copy_from_slice(&0x301u16.to_ne_bytes());
    request[16] = u8::try_from(family).unwrap_or(0);
    request[17] = 6; // IPPROTO_TCP
    request[20..24].copy_from_slice(&(1u32 << LISTEN).to_ne_bytes());
    request
}

/// Adds the ports of one datagram; whether it was the last. None where it is no answer.
fn read(mut datagram: &[u8], ports: &mut Vec<u16>) -> Option<bool> {
    while !datagram.is_empty() {
        let length = u32::from_ne_bytes(*datagram.first_chunk()?) as usize;
        let message = datagram.get(..length).filter(|message| message.len() >= HEADER)?;
        match u16::from_ne_bytes([message[4], message[5]]) {
            DONE => return Some(true),
            // `inet_diag_msg`: family, state, timer, retransmissions, then the port in network order.
            BY_FAMILY => ports.push(u16::from_be_bytes(*message.get(HEADER + 4..)?.first_chunk()?)),
            _ => return None,
        }
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(false)
}

/// The same from proc_net_tcp.
fn from_tables() -> Vec<u16> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].iter().filter_map(|path| fs::read_to_string(path).ok());
    let port = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local = fields.get(1)?.rsplit_once(':')?.1;
        (*fields.get(3)? == "0A").then(|| u16::from_str_radix(local, 16).ok())?
    };
    tables.flat_map(|table| table.lines().skip(1).filter_map(port).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_port_is_listed_by_either_way_while_somebody_listens_on_it_and_one_that_only_connects_is_not() {
        let (four, six) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("[::1]:0"));
        let connected = TcpStream::connect(four.local_addr().unwrap()).unwrap();
        let ways = [ask(nix::libc::AF_INET).unwrap(), listeners(), from_tables()];
        for way in &ways {
            assert!(way.contains(&four.local_addr().unwrap().port()));
            assert!(!way.contains(&connected.local_addr().unwrap().port()));
        }
        // A machine may have no IPv6.
        if let Ok(six) = six {
            let port = six.local_addr().unwrap().port();
            assert!(ask(nix::libc::AF_INET6).unwrap().contains(&port) && from_tables().contains(&port));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_nothing(datagram in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = read(&datagram, &mut Vec::new());
        }
    }
}
