//! From line to line in their order: what each says of the lines before it must be so. The first that lies is the fault.

use std::cmp::Ordering;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Signatures;
use super::anchor::{Bound, Known, Watched};
use super::report::{Fault, Redaction, Report, Verdict};
use crate::record::chain::{Hash, Tree};
use crate::record::checkpoint::{Checkpoint, CheckpointError, Vkey};
use crate::record::scan::{Keys, Line, Stretch, What, too_long};

/// Redactions that a report shows.
const SHOWN: usize = 64;

/// Why nothing after it is looked at.
pub enum Stop {
    /// A line is bad.
    Fault(Fault),
    /// A file cannot be read.
    Unreadable(io::Error),
}

/// A checkpoint whose root is right and whose signature is still to be checked.
struct Pending {
    note: String,
    file: usize,
    line: usize,
}

/// Where the walk stands.
pub struct Walk<'a> {
    files: &'a [PathBuf],
    signatures: Signatures,
    anchors: Vec<Watched<'a>>,
    erased: &'a [u64],
    file: usize,
    line: usize,
    tree: Tree,
    prev: Hash,
    log: Box<str>,
    vkey: Option<Vkey>,
    next_vkey: Option<Vkey>,
    pending: Option<Pending>,
    committed: Option<Checkpoint>,
    bound: Option<Bound>,
    checkpoints: u64,
    signatures_checked: u64,
    epochs: u64,
    redacted: u64,
    /// As many as are shown.
    redactions: Vec<Redaction>,
    /// The first erased record that the auditor does not know of.
    unknown: Option<u64>,
    gaps: u64,
    tail: u64,
    /// Whether a file ended within a line.
    torn: bool,
    times: Option<(i64, i64)>,
    sealed: bool,
}

impl<'a> Walk<'a> {
    /// Before the first line of these files.
    pub fn new(files: &'a [PathBuf], known: &'a Known<'_>, signatures: Signatures) -> Self {
        Self {
            files,
            signatures,
            anchors: known.anchors.iter().map(Watched::new).collect(),
            erased: known.erased,
            file: 0,
            line: 0,
            tree: Tree::default(),
            prev: [0; 32],
            log: Box::default(),
            vkey: None,
            next_vkey: None,
            pending: None,
            committed: None,
            bound: None,
            checkpoints: 0,
            signatures_checked: 0,
            epochs: 0,
            redacted: 0,
            redactions: Vec::new(),
            unknown: None,
            gaps: 0,
            tail: 0,
            torn: false,
            times: None,
            sealed: false,
        }
    }

    /// The next file.
    pub fn enter(&mut self, file: usize) {
        (self.file, self.line) = (file, 0);
    }

    /// The next line's place. The first of a file must be where the file's name says.
    fn step(&mut self) -> Result<(), Stop> {
        self.line += 1;
        if self.torn {
            return Err(self.fault("the segment before it ends in bytes that no line feed ends: only the last one may".into()));
        }
        if self.line > 1 || self.tree.size() == 0 {
            return Ok(());
        }
        let name = self.files[self.file].file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("seg-") && name != format!("seg-{:020}.jsonl", self.tree.size()) {
            let what =
                format!("the segment should begin with record {}: records are missing, or a segment was moved", self.tree.size());
            return Err(self.fault(what));
        }
        Ok(())
    }

    /// Bytes that no line feed ends. A crash can tear the last line; it was never acknowledged.
    pub fn torn(&mut self, bytes: u64) -> Result<(), Stop> {
        self.step()?;
        self.tail += bytes;
        self.torn = true;
        Ok(())
    }

    /// A line of that many bytes, which nobody read.
    pub fn too_long(&mut self, length: u64) -> Result<(), Stop> {
        self.step()?;
        Err(self.fault(too_long(length)))
    }

    /// A file that cannot be read.
    pub fn unreadable(&self, error: &io::Error) -> Stop {
        Stop::Unreadable(io::Error::new(error.kind(), format!("{}: {error}", self.files[self.file].display())))
    }

    /// The next line.
    pub fn line(&mut self, line: &Line) -> Result<(), Stop> {
        self.step()?;
        let said = match line {
            Line::Records(stretch) => self.records(stretch),
            Line::Redacted { leaf, says, length } => self.redacted(*leaf, says, *length),
            Line::Checkpoint { note, says } => self.checkpoint(note, says),
            Line::Broken(what) => Err(what.clone()),
        };
        said.map_err(|what| self.fault(what))?;
        let here = self.pending.as_ref().is_some_and(|pending| (pending.file, pending.line) == (self.file, self.line));
        if here && (self.signatures == Signatures::All || self.next_vkey.is_some()) {
            self.settle()?;
        }
        Ok(())
    }

    fn records(&mut self, stretch: &Stretch) -> Result<(), String> {
        let seq = stretch.tree.begin();
        self.place(seq)?;
        if stretch.prev != Some(self.prev) {
            return Err(format!("record {seq} does not continue record {}: one of the two was edited", seq.saturating_sub(1)));
        }
        if self.tree.size() == 0 {
            self.log.clone_from(&stretch.log);
            self.begin(&stretch.what)?;
        } else if stretch.log != self.log {
            return Err(format!("record {seq} belongs to another log"));
        }
        if self.sealed {
            return Err(format!("record {seq} comes after the seal"));
        }
        match &stretch.what {
            What::Rotated(next) => {
                let next = Vkey::parse(next.as_ref().ok_or("the record is not JSON")?)
                    .filter(|next| self.vkey.as_ref().is_some_and(|key| key.name == next.name));
                self.next_vkey = Some(next.ok_or("the next key is not a key of this log")?);
            }
            What::Gap => self.gaps += 1,
            What::Sealed => self.sealed = true,
            What::Started(_) | What::Other => {}
        }
        let (first, last) = stretch.times;
        self.times = Some((self.times.map_or(first, |(first, _)| first), last));
        self.tree.extend(&stretch.tree);
        self.prev = stretch.last;
        self.line += usize::try_from(stretch.lines() - 1).unwrap_or(usize::MAX);
        self.tail += stretch.bytes;
        Ok(())
    }

    fn redacted(&mut self, leaf: Option<Hash>, says: &Redaction, length: usize) -> Result<(), String> {
        self.place(says.seq)?;
        let hash = leaf.ok_or("the erased record's hash is not 64 hex digits")?;
        self.redacted += 1;
        if self.redactions.len() < SHOWN {
            self.redactions.push(says.clone());
        }
        if !self.erased.contains(&says.seq) {
            self.unknown.get_or_insert(says.seq);
        }
        self.tree.push(hash);
        self.prev = hash;
        self.tail += length as u64 + 1;
        Ok(())
    }

    fn checkpoint(&mut self, note: &str, says: &Result<Checkpoint, CheckpointError>) -> Result<(), String> {
        let checkpoint = says.as_ref().map_err(CheckpointError::to_string)?;
        let key = self.vkey.as_ref().ok_or("a checkpoint stands before the first record")?;
        if checkpoint.origin != key.name {
            return Err("the checkpoint belongs to another log".into());
        }
        let (covers, stand) = (checkpoint.size, self.tree.size());
        if covers != stand {
            let what = if covers > stand { "missing" } else { "too many" };
            return Err(format!("records are {what}: the checkpoint covers {covers} and {stand} stand before it"));
        }
        if self.covered() == covers {
            return Err(format!("a checkpoint over {covers} records stands there twice"));
        }
        if checkpoint.root != self.tree.root() {
            return Err(format!("the checkpoint covers {covers} records with another root: one of them was edited"));
        }
        self.checkpoints += 1;
        self.tail = 0;
        self.pending = Some(Pending { note: note.to_owned(), file: self.file, line: self.line });
        self.anchors.iter_mut().for_each(|anchor| anchor.see(checkpoint));
        self.committed = Some(checkpoint.clone());
        Ok(())
    }

    fn place(&self, seq: u64) -> Result<(), String> {
        let expected = self.tree.size();
        match seq.cmp(&expected) {
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(format!("records {expected} to {} are missing", seq - 1)),
            Ordering::Less => Err(format!("record {seq} stands where record {expected} should: reordered or repeated")),
        }
    }

    /// The first record names the first key.
    fn begin(&mut self, what: &What) -> Result<(), String> {
        let What::Started(keys) = what else { return Err("the log does not begin with its first record".into()) };
        let Keys { vkey, origin, binding } = keys.as_deref().ok_or("the first record is not JSON")?;
        let key = Vkey::parse(vkey)
            .filter(|key| key.name == *origin && origin.ends_with(&*self.log))
            .ok_or("the first record's key is not this log's")?;
        let signature = STANDARD.decode(binding).unwrap_or_default();
        self.bound = Some(Bound { origin: origin.clone(), vkey: vkey.clone(), signature });
        self.vkey = Some(key);
        self.epochs = 1;
        Ok(())
    }

    /// Checks the signature that is still open, and goes over to the next key.
    fn settle(&mut self) -> Result<(), Stop> {
        if let Some(Pending { note, file, line }) = self.pending.take() {
            let key = self.vkey.as_ref().expect("a checkpoint is accepted only once there is a key");
            key.verify(&note).map_err(|error| fault(&self.files[file], line, error.to_string()))?;
            self.signatures_checked += 1;
        }
        if let Some(next) = self.next_vkey.take() {
            self.vkey = Some(next);
            self.epochs += 1;
        }
        Ok(())
    }

    fn fault(&self, what: String) -> Stop {
        fault(&self.files[self.file], self.line, what)
    }

    /// After the last line, or after what stopped the walk.
    ///
    /// # Errors
    /// When a file could not be read, or no whole record stands in any and nothing is known from outside.
    pub fn report(mut self, outcome: Result<(), Stop>) -> io::Result<Report> {
        let verdict = match outcome.and_then(|()| self.settle()) {
            Err(Stop::Fault(fault)) => Verdict::Invalid(fault),
            Err(Stop::Unreadable(error)) => return Err(error),
            Ok(()) if self.tree.size() == 0 && self.anchors.is_empty() => {
                return Err(io::Error::new(io::ErrorKind::NotFound, "no whole record stands in it"));
            }
            Ok(()) => self.judge(),
        };
        Ok(Report {
            verdict,
            leaves: self.tree.size(),
            committed: self.covered(),
            checkpoints: self.checkpoints,
            signatures_checked: self.signatures_checked,
            epochs: self.epochs,
            redacted: self.redacted,
            redactions: self.redactions,
            gaps: self.gaps,
            unsigned_tail: self.tail,
            times: self.times,
            origin: self.bound.map(|bound| bound.origin).unwrap_or_default(),
            root_base64: self.committed.map(|checkpoint| STANDARD.encode(checkpoint.root)).unwrap_or_default(),
        })
    }

    fn covered(&self) -> u64 {
        self.committed.as_ref().map_or(0, |checkpoint| checkpoint.size)
    }

    fn judge(&self) -> Verdict {
        let contradiction = |anchor: &Watched<'_>| anchor.contradiction(self.bound.as_ref(), self.covered());
        if let Some(what) = self.anchors.iter().find_map(contradiction).or_else(|| self.unknown_redaction()) {
            return Verdict::Diverged(what);
        }
        let complete = self.sealed && self.tail == 0;
        match (complete, self.anchors.is_empty()) {
            (false, _) => Verdict::Open,
            (true, true) => Verdict::Unanchored,
            (true, false) => Verdict::Sealed,
        }
    }

    /// Nobody signs a redaction: whoever held the file could have made it. Where the log is held against what is known
    /// from outside, so is each erased record.
    fn unknown_redaction(&self) -> Option<String> {
        let seq = self.unknown.filter(|_| !self.anchors.is_empty())?;
        Some(format!("record {seq} is erased, and nobody outside the node is known to have asked for it"))
    }
}

fn fault(file: &Path, line: usize, what: String) -> Stop {
    Stop::Fault(Fault { file: file.to_owned(), line, what })
}
