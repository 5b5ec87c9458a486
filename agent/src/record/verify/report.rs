//! What a verifier found. The verdicts are words: SEALED, OPEN, UNANCHORED, DIVERGED, INVALID; a log whose tail may be
//! missing is never called valid.

use std::path::PathBuf;

use crate::exit::Exit;

/// The verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Complete, and somebody outside the node vouches for it.
    Sealed,
    /// The chain is good; the seal is missing.
    Open,
    /// Complete; nobody outside the node vouches for it.
    Unanchored,
    /// Contradicts what is known from outside.
    Diverged(String),
    /// Edited, reordered, cut inside, or badly signed.
    Invalid(Fault),
}

/// The first bad line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its file.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// What stands where a record was erased (GDPR Article 17). Nobody signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    /// The record's number.
    pub seq: u64,
    /// By whom.
    pub by: String,
    /// Why.
    pub why: String,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// Records.
    pub leaves: u64,
    /// Records that the last good checkpoint covers.
    pub committed: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Of these, how many had their signatures checked: all, or the last of each key, which covers what is before it.
    pub signatures_checked: u64,
    /// Signing keys.
    pub epochs: u64,
    /// Erased records.
    pub redacted: u64,
    /// The first of these, in their order.
    pub redactions: Vec<Redaction>,
    /// Gaps that the log itself admits.
    pub gaps: u64,
    /// Bytes behind the last checkpoint.
    pub unsigned_tail: u64,
    /// Wall clock of the first and last record, milliseconds.
    pub times: Option<(i64, i64)>,
    /// The log's name.
    pub origin: String,
    /// The root that the last good checkpoint covers, base64.
    pub root_base64: String,
}

impl Verdict {
    /// The word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Sealed => "SEALED",
            Self::Open => "OPEN",
            Self::Unanchored => "UNANCHORED",
            Self::Diverged(_) => "DIVERGED",
            Self::Invalid(_) => "INVALID",
        }
    }

    /// How `log verify` ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Sealed => Exit::Ok,
            Self::Open => Exit::LogOpen,
            Self::Unanchored => Exit::LogUnanchored,
            Self::Diverged(_) => Exit::LogDiverged,
            Self::Invalid(_) => Exit::LogInvalid,
        }
    }
}
