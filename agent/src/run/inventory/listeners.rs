//! Sockets that somebody can reach: TCP that listens, UDP that is bound, and Unix sockets with a path. The kernel is asked for
//! these alone (sock_diag(7)): its tables under `/proc/net` also walk every place that a connection could have, which costs more
//! than all else that `init` does.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;

use nix::libc;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

/// States of sockets (include/net/tcp_states.h); what is bound and not connected is "closed".
const LISTEN: u8 = 10;
const CLOSE: u8 = 7;
/// SOCK_DIAG_BY_FAMILY: the request, and each answer to it.
const BY_FAMILY: u16 = 20;
/// NLMSG_DONE: the last message.
const DONE: u16 = 3;
const HEADER: usize = 16;
/// More than the kernel puts into one datagram of a dump.
const DATAGRAM: usize = 64 * 1024;

/// One table of the kernel's.
#[derive(Clone, Copy)]
struct Table {
    word: &'static str,
    /// The same under `/proc/net`.
    text: &'static str,
    family: i32,
    protocol: i32,
    states: u32,
}

const fn internet(word: &'static str, text: &'static str, family: i32, protocol: i32, state: u8) -> Table {
    Table { word, text, family, protocol, states: 1 << state }
}

const TABLES: &[Table] = &[
    internet("tcp", "/proc/net/tcp", libc::AF_INET, libc::IPPROTO_TCP, LISTEN),
    internet("tcp", "/proc/net/tcp6", libc::AF_INET6, libc::IPPROTO_TCP, LISTEN),
    internet("udp", "/proc/net/udp", libc::AF_INET, libc::IPPROTO_UDP, CLOSE),
    internet("udp", "/proc/net/udp6", libc::AF_INET6, libc::IPPROTO_UDP, CLOSE),
    Table { word: "unix", text: "/proc/net/unix", family: libc::AF_UNIX, protocol: 0, states: (1 << LISTEN) | (1 << CLOSE) },
];

/// `tcp ADDRESS:PORT uid UID`, `udp ADDRESS:PORT uid UID`, `unix PATH`; in no order.
pub fn listeners() -> Vec<String> {
    // A kernel may be built without socket diagnostics, or without those of one kind.
    TABLES.iter().flat_map(|table| ask(table).unwrap_or_else(|_| from_text(table))).collect()
}

fn ask(table: &Table) -> io::Result<Vec<String>> {
    let kernel = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)?;
    send(kernel.as_raw_fd(), &request(table), MsgFlags::empty())?;
    let (mut found, mut datagram) = (Vec::new(), vec![0; DATAGRAM]);
    loop {
        let length = recv(kernel.as_raw_fd(), &mut datagram, MsgFlags::empty())?;
        if read(&datagram[..length], table, &mut found).ok_or(io::ErrorKind::InvalidData)? {
            return Ok(found);
        }
    }
}

/// `nlmsghdr`, then `inet_diag_req_v2` or `unix_diag_req`.
fn request(table: &Table) -> Vec<u8> {
    let unix = table.family == libc::AF_UNIX;
    let length: u32 = if unix { 40 } else { 72 };
    let mut request = vec![0; length as usize];
    request[..4].copy_from_slice(&length.to_ne_bytes());
    request[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
    // NLM_F_REQUEST, NLM_F_DUMP.
    request[6..8].copy_from_slice(&0x301u16.to_ne_bytes());
    request[16] = u8::try_from(table.family).unwrap_or(0);
    request[17] = u8::try_from(table.protocol).unwrap_or(0);
    request[20..24].copy_from_slice(&table.states.to_ne_bytes());
    if unix {
        // UDIAG_SHOW_NAME, behind the inode.
        request[28..32].copy_from_slice(&1u32.to_ne_bytes());
    }
    request
}

/// Adds the sockets of one datagram; whether it was the last. None where it is no answer.
fn read(mut datagram: &[u8], table: &Table, found: &mut Vec<String>) -> Option<bool> {
    while !datagram.is_empty() {
        let length = u32::from_ne_bytes(*datagram.first_chunk()?) as usize;
        let message = datagram.get(..length).filter(|message| message.len() >= HEADER)?;
        match u16::from_ne_bytes([message[4], message[5]]) {
            DONE => return Some(true),
            BY_FAMILY if table.family == libc::AF_UNIX => found.extend(path(&message[HEADER..])?),
            BY_FAMILY => found.push(address(&message[HEADER..], table)?),
            _ => return None,
        }
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(false)
}

/// `inet_diag_msg`: family, state, timer, retransmissions; then ports and addresses in network order; the uid comes late.
fn address(message: &[u8], table: &Table) -> Option<String> {
    let port = u16::from_be_bytes(*message.get(4..)?.first_chunk()?);
    let source = message.get(8..)?;
    let address = if table.family == libc::AF_INET {
        IpAddr::from(*source.first_chunk::<4>()?)
    } else {
        IpAddr::from(*source.first_chunk::<16>()?)
    };
    let uid = u32::from_ne_bytes(*message.get(64..)?.first_chunk()?);
    Some(format!("{} {} uid {uid}", table.word, SocketAddr::new(address, port)))
}

/// `unix_diag_msg`, 16 bytes, then attributes; of those the name. Without one, or with one outside the file system: nothing.
#[expect(clippy::option_option, reason = "no answer, an answer without a path, a path")]
fn path(message: &[u8]) -> Option<Option<String>> {
    let mut attributes = message.get(16..)?;
    while let Some(length) = attributes.first_chunk().map(|length| usize::from(u16::from_ne_bytes(*length))) {
        let attribute = attributes.get(..length).filter(|attribute| attribute.len() >= 4)?;
        let name = &attribute[4..];
        // UNIX_DIAG_NAME.
        if attribute[2..4] == [0, 0] && name.first() == Some(&b'/') {
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            return Some(Some(format!("unix {}", String::from_utf8_lossy(name))));
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(None)
}

/// The same from proc_net_tcp and its likes.
fn from_text(table: &Table) -> Vec<String> {
    let text = fs::read(table.text).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().skip(1).filter_map(|line| if table.protocol == 0 { named(line) } else { bound(line, table) }).collect()
}

/// Number, references, protocol, flags, type, state (unconnected), inode, path.
fn named(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let path = line.split_once(" /").map(|(_, path)| path).filter(|_| fields.get(5) == Some(&"01"))?;
    Some(format!("unix /{path}"))
}

fn bound(line: &str, table: &Table) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (address, port) = fields.get(1)?.rsplit_once(':')?;
    let state = u8::from_str_radix(fields.get(3)?, 16).ok().filter(|state| *state < 32)?;
    if table.states & (1 << state) == 0 {
        return None;
    }
    // Words of the machine's own byte order.
    let words = (0..address.len() / 8).map(|at| u32::from_str_radix(address.get(8 * at..8 * at + 8)?, 16).ok());
    let bytes: Vec<u8> = words.collect::<Option<Vec<_>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let address = <[u8; 4]>::try_from(bytes.as_slice())
        .map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes)))
        .or_else(|_| <[u8; 16]>::try_from(bytes.as_slice()).map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))))
        .ok()?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(format!("{} {} uid {}", table.word, SocketAddr::new(address, port), fields.get(7)?))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

    use super::*;

    #[test]
    fn a_socket_of_each_kind_is_listed_by_either_way_and_one_that_only_connects_is_not() {
        let directory = std::env::temp_dir().join(format!("longhorn-listeners-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let uid = nix::unistd::geteuid();
        let (tcp, udp) = (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let talking = UdpSocket::bind("127.0.0.1:0").unwrap();
        talking.connect(udp.local_addr().unwrap()).unwrap();
        let connected = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
        let (stream, datagram) = (directory.join("a stream"), directory.join("datagram"));
        let listening = UnixListener::bind(&stream).unwrap();
        let _bound = UnixDatagram::bind(&datagram).unwrap();
        let _client = UnixStream::connect(&stream).unwrap();
        let mut expected = vec![
            format!("tcp {} uid {uid}", tcp.local_addr().unwrap()),
            format!("udp {} uid {uid}", udp.local_addr().unwrap()),
            format!("unix {}", stream.display()),
            format!("unix {}", datagram.display()),
        ];
        // A machine may have no IPv6.
        let six = (TcpListener::bind("[::1]:0"), UdpSocket::bind("[::1]:0"));
        if let (Ok(tcp), Ok(udp)) = &six {
            expected.push(format!("tcp {} uid {uid}", tcp.local_addr().unwrap()));
            expected.push(format!("udp {} uid {uid}", udp.local_addr().unwrap()));
        }
        let asked: Vec<String> = TABLES.iter().filter_map(|table| ask(table).ok()).flatten().collect();
        let text: Vec<String> = TABLES.iter().flat_map(from_text).collect();
        for (way, found) in [("either", listeners()), ("asked", asked), ("text", text)] {
            for line in &expected {
                assert!(found.contains(line), "{way}: {line} is not in {found:?}");
            }
            for address in [connected.local_addr().unwrap(), talking.local_addr().unwrap()] {
                assert!(!found.iter().any(|line| line.contains(&address.to_string())), "{way}: {address} only connects");
            }
        }
        drop(listening);
        fs::remove_dir_all(directory).unwrap();
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_nothing(datagram in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            for table in TABLES {
                let _ = read(&datagram, table, &mut Vec::new());
                let message = [&200u32.to_ne_bytes()[..], &BY_FAMILY.to_ne_bytes(), &[0; 10], &datagram].concat();
                let _ = read(&message, table, &mut Vec::new());
            }
        }
    }
}
