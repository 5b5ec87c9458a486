//! Who holds the other end of a connection on loopback: the sidecar asks by the connection's two ends, the keeper answers with a
//! process. Fixed layouts.

use std::net::SocketAddrV4;

/// The two ends of a connection, as the one who asks sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The other one's.
    pub theirs: SocketAddrV4,
    /// Ours.
    pub ours: SocketAddrV4,
}

/// A process: its id, and when it started, which tells it from whoever has the id later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub pid: i32,
    /// Its start, in clock ticks since boot (proc_pid_stat(5), field 22).
    pub started: u64,
}

/// Why bytes are not the two ends of a connection, or no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not what is said about the holder of a connection")]
pub struct NotHolder;

const ENDS: usize = 12;

impl Ends {
    /// As bytes: address and port (big-endian) of theirs, then of ours.
    pub fn encode(&self) -> [u8; ENDS] {
        let mut bytes = [0; ENDS];
        for (half, end) in bytes.chunks_exact_mut(ENDS / 2).zip([self.theirs, self.ours]) {
            half[..4].copy_from_slice(&end.ip().octets());
            half[4..].copy_from_slice(&end.port().to_be_bytes());
        }
        bytes
    }

    /// From bytes.
    ///
    /// # Errors
    /// When they are not twelve.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotHolder> {
        let bytes: [u8; ENDS] = bytes.try_into().map_err(|_| NotHolder)?;
        let end = |at: usize| {
            let address: [u8; 4] = bytes[at..at + 4].try_into().expect("four bytes of twelve");
            SocketAddrV4::new(address.into(), u16::from_be_bytes([bytes[at + 4], bytes[at + 5]]))
        };
        Ok(Self { theirs: end(0), ours: end(6) })
    }
}

impl Holder {
    /// The answer to a question: its ends, then the process, or nobody that was found.
    pub fn encode(of: &Ends, holder: Option<Self>) -> Vec<u8> {
        let Self { pid, started } = holder.unwrap_or(Self { pid: 0, started: 0 });
        [&of.encode()[..], &pid.to_le_bytes(), &started.to_le_bytes()].concat()
    }

    /// See [`Holder::encode`].
    ///
    /// # Errors
    /// When the length is not exactly right.
    pub fn decode(bytes: &[u8]) -> Result<(Ends, Option<Self>), NotHolder> {
        let (ends, rest) = bytes.split_at_checked(ENDS).ok_or(NotHolder)?;
        let (pid, started) = rest.split_at_checked(4).ok_or(NotHolder)?;
        let pid = i32::from_le_bytes(pid.try_into().map_err(|_| NotHolder)?);
        let started = u64::from_le_bytes(started.try_into().map_err(|_| NotHolder)?);
        Ok((Ends::decode(ends)?, (pid > 0).then_some(Self { pid, started })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_and_answer_survive_the_way_and_nothing_else_is_one() {
        let ends = Ends { theirs: "127.0.0.1:65535".parse().unwrap(), ours: "127.0.0.2:1".parse().unwrap() };
        assert_eq!(Ends::decode(&ends.encode()), Ok(ends));
        for holder in [None, Some(Holder { pid: 1, started: 0 }), Some(Holder { pid: i32::MAX, started: u64::MAX })] {
            assert_eq!(Holder::decode(&Holder::encode(&ends, holder)), Ok((ends, holder)));
        }
        assert_eq!(Holder::decode(&Holder::encode(&ends, Some(Holder { pid: -1, started: 9 }))), Ok((ends, None)));
        for length in [0, 11, 12, 16, 23, 25] {
            assert_eq!((Ends::decode(&vec![1; length]).is_ok(), Holder::decode(&vec![1; length]).is_ok()), (length == 12, false));
        }
    }
}
