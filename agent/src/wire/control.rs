//! What the keeper is told. Fixed layouts, so that the keeper copies bytes and never parses what others wrote.

use crate::host::clock::BootTime;

/// To the keeper, from the sidecar or from `init`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToKeeper {
    /// Sidecar: launches are allowed until then. The keeper caps it.
    Lease(BootTime),
    /// Sidecar: publish this context.
    Publish {
        /// For programs.
        json: Vec<u8>,
        /// Signed.
        token: Vec<u8>,
    },
    /// Sidecar: the identity is withdrawn; end the lease and take the context away.
    Withdraw,
    /// `init`: the node is locked; from now on live on without me.
    Commit,
}

/// From the keeper to `init`: the node's public key.
pub const HELLO: u8 = b'K';
/// From the keeper to `init`: all that the sidecar asked for is in place, and the keeper lives on without `init`.
pub const KEPT: u8 = b'C';

/// Why bytes are not a control message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a control message")]
pub struct NotControl;

impl ToKeeper {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Lease(end) => [&b"L"[..], &end.0.to_le_bytes()].concat(),
            Self::Publish { json, token } => {
                let length = u32::try_from(json.len()).expect("a context is far below 4 GiB: packets are capped");
                [&b"P"[..], &length.to_le_bytes(), json, token].concat()
            }
            Self::Withdraw => b"W".to_vec(),
            Self::Commit => b"C".to_vec(),
        }
    }

    /// From bytes.
    ///
    /// # Errors
    /// When the tag is unknown or the length is not exactly right.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotControl> {
        let (tag, rest) = bytes.split_first().ok_or(NotControl)?;
        match (tag, rest) {
            (b'L', end) => Ok(Self::Lease(BootTime(u64::from_le_bytes(end.try_into().map_err(|_| NotControl)?)))),
            (b'P', rest) => {
                let (length, rest) = rest.split_at_checked(4).ok_or(NotControl)?;
                let length = u32::from_le_bytes(length.try_into().map_err(|_| NotControl)?);
                let (json, token) = rest.split_at_checked(length as usize).ok_or(NotControl)?;
                Ok(Self::Publish { json: json.to_vec(), token: token.to_vec() })
            }
            (b'W', []) => Ok(Self::Withdraw),
            (b'C', []) => Ok(Self::Commit),
            _ => Err(NotControl),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_survives_the_way_and_nothing_else_is_one() {
        for message in [
            ToKeeper::Lease(BootTime(u64::MAX)),
            ToKeeper::Publish { json: b"{}".to_vec(), token: b"a.b.c".to_vec() },
            ToKeeper::Withdraw,
            ToKeeper::Commit,
        ] {
            assert_eq!(ToKeeper::decode(&message.encode()), Ok(message));
        }
        for bytes in [&b""[..], b"X", b"L1234567", b"L123456789", b"P\xff\xff\xff\xff", b"W1", b"C1"] {
            assert_eq!(ToKeeper::decode(bytes), Err(NotControl), "{bytes:?}");
        }
    }
}
