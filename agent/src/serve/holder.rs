//! Finds the process at the other end of a connection on loopback: the kernel's list of sockets names the connection's inode
//! (proc_net(5)), and the process that has it open is found by its descriptors. TCP has no peer credentials, and only root may look at
//! the descriptors of others: the keeper asks, the sidecar could not.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddrV4;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use super::peer::started;
use crate::wire::holder::{Ends, Holder};

/// No more descriptors are looked at for one question: a job that opens a million of them is told that nobody is found.
const MOST_LOOKS: u32 = 262_144;

/// The process that holds the other end; `None` when there is none to be found. Of several that share it, the first: whoever shares a
/// connection with a locked process got it from that process.
pub fn find(ends: &Ends) -> Option<Holder> {
    let inode = inode(ends)?;
    let mut looks = 0;
    let socket = format!("socket:[{inode}]");
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Ok(directory) = fs::File::open(entry.path()) else { continue };
        // By the opened directory: a process that ended meanwhile holds nothing any more, and nobody else has its place in it.
        let Ok(descriptors) = fs::read_dir(inside(&directory, "fd")) else { continue };
        for descriptor in descriptors.flatten() {
            looks += 1;
            if looks > MOST_LOOKS {
                return None;
            }
            if fs::read_link(descriptor.path()).is_ok_and(|target| target.as_os_str() == socket.as_str()) {
                return started(&directory).ok().map(|started| Holder { pid, started });
            }
        }
    }
    None
}

fn inside(directory: &fs::File, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()))
}

/// The inode of the other end's socket. One that speaks IPv6 shows an IPv4 address mapped into it (RFC 4291 §2.5.5.2).
fn inode(ends: &Ends) -> Option<u64> {
    let files = [("/proc/net/tcp", form(ends, plain)), ("/proc/net/tcp6", form(ends, mapped))];
    files.into_iter().find_map(|(file, form)| look_up(BufReader::new(fs::File::open(file).ok()?), &form).ok().flatten())
}

fn look_up(list: impl BufRead, ends: &str) -> io::Result<Option<u64>> {
    for line in list.lines() {
        let line = line?;
        // `sl: local remote st tx:rx tr:when retransmits uid timeout inode …`
        let Some((_, rest)) = line.split_once(": ") else { continue };
        if let Some(rest) = rest.strip_prefix(ends) {
            return Ok(rest.split_ascii_whitespace().nth(6).and_then(|inode| inode.parse().ok()).filter(|inode| *inode != 0));
        }
    }
    Ok(None)
}

fn form(ends: &Ends, end: fn(SocketAddrV4) -> String) -> String {
    // From the other end, theirs is local.
    format!("{} {} ", end(ends.theirs), end(ends.ours))
}

/// An address as the machine's own words in hexadecimal, then the port.
fn plain(end: SocketAddrV4) -> String {
    format!("{:08X}:{:04X}", u32::from_ne_bytes(end.ip().octets()), end.port())
}

fn mapped(end: SocketAddrV4) -> String {
    format!("0000000000000000{:08X}{}", u32::from_ne_bytes([0, 0, 0xff, 0xff]), plain(end))
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream};

    use super::super::peer;
    use super::*;

    fn ends(accepted: &TcpStream) -> Ends {
        let v4 = |address: SocketAddr| match address {
            SocketAddr::V4(address) => address,
            SocketAddr::V6(address) => SocketAddrV4::new(address.ip().to_ipv4_mapped().unwrap(), address.port()),
        };
        Ends { theirs: v4(accepted.peer_addr().unwrap()), ours: v4(accepted.local_addr().unwrap()) }
    }

    #[test]
    fn the_holder_of_a_connection_is_the_process_that_made_it_by_either_family_and_nobody_once_it_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for address in [format!("127.0.0.1:{port}"), format!("[::ffff:127.0.0.1]:{port}")] {
            let client = TcpStream::connect(&address).unwrap();
            let (accepted, _) = listener.accept().unwrap();
            let ends = ends(&accepted);
            assert_eq!(find(&ends).map(|holder| holder.pid), Some(i32::try_from(std::process::id()).unwrap()), "{address}");
            let swapped = Ends { theirs: SocketAddrV4::new(*ends.theirs.ip(), 1), ..ends };
            assert_eq!(find(&swapped), None, "{address}");
            drop(client);
            drop(accepted);
            assert_eq!(find(&ends), None, "{address}");
        }
    }

    #[test]
    fn a_connection_of_another_process_is_not_taken_for_ours() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; read line <&3");
        let mut child = std::process::Command::new("bash").args(["-c", &script]).spawn().unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let found = find(&ends(&accepted)).unwrap();
        assert_eq!(found.pid, i32::try_from(child.id()).unwrap());
        assert!(peer::of_process(&found).is_ok());
        // Whoever has its id later is another one.
        assert!(peer::of_process(&Holder { started: found.started + 1, ..found }).is_err());
        drop(accepted);
        child.wait().unwrap();
    }
}
