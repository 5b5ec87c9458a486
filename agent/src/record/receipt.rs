//! The receipt of a record: travels in the sealed lock, and is the launcher's proof that the decision is durable.

use super::append::Recorded;
use super::checkpoint;
use crate::exit::Exit;
use crate::host::digest::{hex, unhex};
use crate::screen::Screen;
use crate::unverified::Unverified;

/// Why bytes are not a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not the fields of a receipt.
    #[error("the receipt of the recorded decision is malformed")]
    Malformed,
    /// Its checkpoint belongs to another log, or does not reach the record.
    #[error("the receipt's checkpoint does not cover the recorded decision")]
    NotCovered,
}

impl ReceiptError {
    /// What a person reads.
    pub fn screen(&self) -> Screen {
        Screen::refused("decision-not-recorded", Exit::RefusedLock, self.to_string())
            .fact("expected", "a receipt that `longhorn init` sealed")
            .fact("presented", "one that says something else")
            .hint("no entry on disk, no launch: restart the cluster so that `longhorn init` runs again")
    }
}

impl Recorded {
    /// The receipt: log, number and leaf hash, a line each, then the checkpoint's note.
    pub fn receipt(&self) -> String {
        format!("{}\n{}\n{}\n{}", self.log, self.seq, hex(&self.leaf), self.note)
    }
}

/// The door for receipts. The bytes come out of the sealed lock, whose owner and mode were checked; here they must say
/// what a receipt says: a leaf, and a checkpoint of the same log that reaches it.
///
/// # Errors
/// When they do not.
pub fn accept(receipt: &Unverified<&[u8]>) -> Result<Recorded, ReceiptError> {
    let text = std::str::from_utf8(receipt.examine()).map_err(|_| ReceiptError::Malformed)?;
    let mut parts = text.splitn(4, '\n');
    let mut part = || parts.next().ok_or(ReceiptError::Malformed);
    let (log, seq, leaf, note) = (part()?, part()?, part()?, part()?);
    let seq: u64 = seq.parse().map_err(|_| ReceiptError::Malformed)?;
    let leaf = unhex(leaf.as_bytes()).ok_or(ReceiptError::Malformed)?;
    let (covered, _) = checkpoint::parse(note).map_err(|_| ReceiptError::Malformed)?;
    if covered.origin.rsplit('/').next() != Some(log) || covered.size <= seq {
        return Err(ReceiptError::NotCovered);
    }
    Ok(Recorded { log: log.into(), seq, leaf, note: note.into() })
}
