//! The receipt of a record: travels in the sealed lock, and is the launcher's proof that the decision is durable.

use serde::{Deserialize, Serialize};

use super::append::Recorded;
use super::chain::Hash;
use super::checkpoint;
use crate::exit::Exit;
use crate::host::digest::hex;
use crate::screen::Screen;
use crate::unverified::Unverified;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Receipt {
    log: String,
    seq: u64,
    leaf: String,
    checkpoint: String,
}

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
            .hint("no entry on disk, no launch: restart the cluster so that `longhorn init` runs again")
    }
}

impl Recorded {
    /// The receipt, as bytes.
    pub fn receipt(&self) -> Vec<u8> {
        let receipt = Receipt { log: self.log.clone(), seq: self.seq, leaf: hex(&self.leaf), checkpoint: self.note.to_string() };
        serde_json::to_vec(&receipt).expect("strings and numbers")
    }
}

/// The door for receipts. The bytes come out of the sealed lock, whose owner and mode were checked; here they must say
/// what a receipt says: a leaf, and a checkpoint of the same log that reaches it.
///
/// # Errors
/// When they do not.
pub fn accept(receipt: &Unverified<&[u8]>) -> Result<Recorded, ReceiptError> {
    let receipt: Receipt = serde_json::from_slice(receipt.examine()).map_err(|_| ReceiptError::Malformed)?;
    let leaf = parse_hash(&receipt.leaf).ok_or(ReceiptError::Malformed)?;
    let (covered, _) = checkpoint::parse(&receipt.checkpoint).map_err(|_| ReceiptError::Malformed)?;
    let same_log = covered.origin.rsplit('/').next() == Some(receipt.log.as_str());
    if !same_log || covered.size <= receipt.seq {
        return Err(ReceiptError::NotCovered);
    }
    Ok(Recorded { log: receipt.log, seq: receipt.seq, leaf, note: receipt.checkpoint.into() })
}

fn parse_hash(text: &str) -> Option<Hash> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    if rest.is_empty() { bytes?.try_into().ok() } else { None }
}
