//! Verifies a log offline, without trusting the node that wrote it. The verdicts are words: SEALED, OPEN, UNANCHORED,
//! DIVERGED, INVALID; a log whose tail may be missing is never called valid.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::chain::{Hash, Tree, leaf};
use super::checkpoint::{Checkpoint, Vkey, parse};
use super::scan::{Line, read};
use crate::exit::Exit;
use crate::host::digest::{hex, unhex};

/// What somebody outside the node knows of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// A checkpoint.
    Checkpoint(Checkpoint),
    /// The thumbprint of the node key that the log must be bound to, and the key itself.
    NodeKey(crate::record::verify::NodeAnchor),
}

/// A node key as an anchor: checks the binding that the first record carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAnchor {
    /// The Ed25519 public key.
    pub public: [u8; 32],
}

/// Which checkpoint signatures are checked. Every root always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// The last of each key: it covers all before it.
    Newest,
    /// All.
    All,
}

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
    /// Signing keys.
    pub epochs: u64,
    /// Erased records.
    pub redacted: u64,
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

/// The bytes that a node key signs to bind a log to itself.
pub fn binding(origin: &str, vkey: &str) -> String {
    format!("longhorn-log-binding-v1\n{origin}\n{vkey}\n")
}

/// A note as a JSON string, the one way it is written: the em dash escaped, nothing else beyond line feeds.
pub fn checkpoint_json(note: &str) -> String {
    format!("\"{}\"", note.replace('\u{2014}', "\\u2014").replace('\n', "\\n"))
}

/// Verifies a log directory, or one file of a log that has only one.
///
/// # Errors
/// When there is nothing to read.
pub fn verify(path: &Path, anchors: &[Anchor], signatures: Signatures) -> io::Result<Report> {
    let mut walk = Walk::new(signatures, anchors);
    let outcome = segments(path)?.into_iter().try_for_each(|file| walk.file(&file));
    let outcome = outcome.and_then(|()| walk.finish());
    Ok(walk.report(outcome))
}

fn segments(path: &Path) -> io::Result<Vec<PathBuf>> {
    if fs::metadata(path)?.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files: Vec<PathBuf> = fs::read_dir(path)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.retain(|file| file.is_file() && file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seg-")));
    files.sort();
    if files.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(files) }
}

enum Stop {
    Fault(Fault),
    Io(String),
}

struct Walk<'a> {
    signatures: Signatures,
    anchors: &'a [Anchor],
    tree: Tree,
    prev: String,
    log: String,
    vkey: Option<Vkey>,
    next_vkey: Option<Vkey>,
    /// A checkpoint whose root is right and whose signature is still to be checked.
    pending: Option<(String, PathBuf, usize)>,
    committed: Option<Checkpoint>,
    known: Vec<Checkpoint>,
    bound: Option<(String, String, Vec<u8>)>,
    leaves: u64,
    checkpoints: u64,
    epochs: u64,
    redacted: u64,
    gaps: u64,
    tail: u64,
    /// Whether the file before ended within a line.
    torn: bool,
    times: Option<(i64, i64)>,
    sealed: bool,
}

impl<'a> Walk<'a> {
    fn new(signatures: Signatures, anchors: &'a [Anchor]) -> Self {
        Self {
            signatures,
            anchors,
            tree: Tree::default(),
            prev: "0".repeat(64),
            log: String::new(),
            vkey: None,
            next_vkey: None,
            pending: None,
            committed: None,
            known: Vec::new(),
            bound: None,
            leaves: 0,
            checkpoints: 0,
            epochs: 0,
            redacted: 0,
            gaps: 0,
            tail: 0,
            torn: false,
            times: None,
            sealed: false,
        }
    }

    fn file(&mut self, file: &Path) -> Result<(), Stop> {
        let bytes = fs::read(file).map_err(|error| Stop::Io(format!("{}: {error}", file.display())))?;
        let expected = format!("seg-{:020}.jsonl", self.tree.size());
        let named = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seg-"));
        if self.torn && !bytes.is_empty() {
            return Err(self.fault(
                file,
                1,
                "the segment before it ends in bytes that no line feed ends: only the last one may".into(),
            ));
        }
        if named && !bytes.is_empty() && file.file_name() != Some(std::ffi::OsStr::new(&expected)) && self.leaves > 0 {
            return Err(self.fault(
                file,
                1,
                format!("the segment should begin with record {}: records are missing, or a segment was moved", self.tree.size()),
            ));
        }
        let mut rest = &bytes[..];
        let mut number = 0;
        while !rest.is_empty() {
            number += 1;
            let Some(end) = memchr::memchr(b'\n', rest) else {
                // A crash can tear the last line; it was never acknowledged.
                self.tail += rest.len() as u64;
                self.torn = true;
                return Ok(());
            };
            let (raw, after) = (&rest[..end], &rest[end + 1..]);
            rest = after;
            self.line(raw).map_err(|what| self.fault(file, number, what))?;
            if let Some((_, at, line)) = &mut self.pending
                && at.as_os_str().is_empty()
            {
                (*at, *line) = (file.to_owned(), number);
                if self.signatures == Signatures::All || self.next_vkey.is_some() {
                    self.settle()?;
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, raw: &[u8]) -> Result<(), String> {
        match read(raw)? {
            Line::Leaf { prev, seq, log, time, event, raw } => {
                self.place(seq)?;
                if prev != self.prev {
                    return Err(format!(
                        "record {seq} does not continue record {}: one of the two was edited",
                        seq.saturating_sub(1)
                    ));
                }
                if self.leaves == 0 {
                    self.log = log.to_owned();
                    self.begin(raw, event)?;
                } else if log != self.log {
                    return Err(format!("record {seq} belongs to another log"));
                }
                if self.sealed {
                    return Err(format!("record {seq} comes after the seal"));
                }
                self.note(event, raw)?;
                let first = self.times.map_or(time, |(first, _)| first);
                self.times = Some((first, time));
                self.push(leaf(raw), raw.len());
            }
            Line::Redacted { leaf, seq } => {
                self.place(seq)?;
                let hash = unhex(&leaf).ok_or("the erased record's hash is not 64 hex digits")?;
                self.redacted += 1;
                self.push(hash, raw.len());
            }
            Line::Checkpoint(note) => {
                let (checkpoint, _) = parse(&note).map_err(|error| error.to_string())?;
                let key = self.vkey.as_ref().ok_or("a checkpoint stands before the first record")?;
                if checkpoint.origin != key.name {
                    return Err("the checkpoint belongs to another log".into());
                }
                let (covers, stand) = (checkpoint.size, self.tree.size());
                if covers != stand {
                    let what = if covers > stand { "missing" } else { "too many" };
                    return Err(format!("records are {what}: the checkpoint covers {covers} and {stand} stand before it"));
                }
                if checkpoint.root != self.tree.root() {
                    return Err(format!("the checkpoint covers {covers} records with another root: one of them was edited"));
                }
                self.checkpoints += 1;
                self.tail = 0;
                self.pending = Some((note, PathBuf::new(), 0));
                if self.anchors.iter().any(|anchor| matches!(anchor, Anchor::Checkpoint(known) if known.size == checkpoint.size))
                {
                    self.known.push(checkpoint.clone());
                }
                self.committed = Some(checkpoint);
            }
        }
        Ok(())
    }

    fn place(&self, seq: u64) -> Result<(), String> {
        let expected = self.tree.size();
        match seq.cmp(&expected) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(format!("records {expected} to {} are missing", seq - 1)),
            std::cmp::Ordering::Less => Err(format!("record {seq} stands where record {expected} should: reordered or repeated")),
        }
    }

    fn push(&mut self, hash: Hash, length: usize) {
        self.prev = hex(&hash);
        self.tree.push(hash);
        self.leaves += 1;
        self.tail += length as u64 + 1;
    }

    /// The first record names the first key.
    fn begin(&mut self, raw: &[u8], event: &str) -> Result<(), String> {
        let value: serde_json::Value = serde_json::from_slice(raw).map_err(|_| "the first record is not JSON")?;
        let text = |key: &str| value["ext"][key].as_str().unwrap_or_default().to_owned();
        if event != "log.started" {
            return Err("the log does not begin with its first record".into());
        }
        let (vkey, origin) = (text("vkey"), text("origin"));
        let key = Vkey::parse(&vkey)
            .filter(|key| key.name == origin && origin.ends_with(&self.log))
            .ok_or("the first record's key is not this log's")?;
        self.bound = Some((origin, vkey, STANDARD.decode(text("binding")).unwrap_or_default()));
        self.vkey = Some(key);
        self.epochs = 1;
        Ok(())
    }

    fn note(&mut self, event: &str, raw: &[u8]) -> Result<(), String> {
        match event {
            "key.rotate" => {
                let value: serde_json::Value = serde_json::from_slice(raw).map_err(|_| "the record is not JSON")?;
                let next = value["ext"]["next_vkey"]
                    .as_str()
                    .and_then(Vkey::parse)
                    .filter(|next| self.vkey.as_ref().is_some_and(|key| key.name == next.name));
                self.next_vkey = Some(next.ok_or("the next key is not a key of this log")?);
            }
            "log.gap" => self.gaps += 1,
            "log.seal" => self.sealed = true,
            _ => {}
        }
        Ok(())
    }

    /// Checks the signature that is still open, and goes over to the next key.
    fn settle(&mut self) -> Result<(), Stop> {
        if let Some((note, file, line)) = self.pending.take() {
            let key = self.vkey.as_ref().expect("a checkpoint is accepted only once there is a key");
            key.verify(&note).map_err(|error| self.fault(&file, line, error.to_string()))?;
        }
        if let Some(next) = self.next_vkey.take() {
            self.vkey = Some(next);
            self.epochs += 1;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Stop> {
        self.settle()
    }

    fn fault(&self, file: &Path, line: usize, what: String) -> Stop {
        Stop::Fault(Fault { file: file.to_owned(), line, what })
    }

    fn report(self, outcome: Result<(), Stop>) -> Report {
        let verdict = match outcome {
            Err(Stop::Fault(fault)) => Verdict::Invalid(fault),
            Err(Stop::Io(what)) => Verdict::Invalid(Fault { file: PathBuf::new(), line: 0, what }),
            Ok(()) => self.judge(),
        };
        let committed = self.committed.as_ref();
        Report {
            verdict,
            leaves: self.leaves,
            committed: committed.map_or(0, |checkpoint| checkpoint.size),
            checkpoints: self.checkpoints,
            epochs: self.epochs,
            redacted: self.redacted,
            gaps: self.gaps,
            unsigned_tail: self.tail,
            times: self.times,
            origin: self.bound.as_ref().map(|(origin, _, _)| origin.clone()).unwrap_or_default(),
            root_base64: committed.map(|checkpoint| STANDARD.encode(checkpoint.root)).unwrap_or_default(),
        }
    }

    fn judge(&self) -> Verdict {
        for anchor in self.anchors {
            if let Some(contradiction) = self.contradiction(anchor) {
                return Verdict::Diverged(contradiction);
            }
        }
        let complete = self.sealed && self.tail == 0;
        match (complete, self.anchors.is_empty()) {
            (false, _) => Verdict::Open,
            (true, true) => Verdict::Unanchored,
            (true, false) => Verdict::Sealed,
        }
    }

    fn contradiction(&self, anchor: &Anchor) -> Option<String> {
        match anchor {
            Anchor::Checkpoint(known) => {
                let covered = self.committed.as_ref().map_or(0, |checkpoint| checkpoint.size);
                if self.bound.as_ref().is_none_or(|(origin, _, _)| *origin != known.origin) {
                    Some("the known checkpoint belongs to another log".into())
                } else if known.size > covered {
                    Some(format!("a checkpoint over {} records is known; the log has {covered}: its tail was cut", known.size))
                } else if self.known.iter().any(|ours| ours.size == known.size && ours.root == known.root) {
                    None
                } else {
                    Some(format!("the log has no checkpoint over {} records with the known root", known.size))
                }
            }
            Anchor::NodeKey(node) => {
                let bound = self.bound.as_ref().is_some_and(|(origin, vkey, signature)| {
                    let key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, &node.public);
                    key.verify(binding(origin, vkey).as_bytes(), signature).is_ok()
                });
                (!bound).then(|| "the log is not bound to the known node key".into())
            }
        }
    }
}
