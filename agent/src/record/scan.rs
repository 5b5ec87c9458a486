//! Lines of a log, as they lie there. Nothing is believed; where a line breaks the format, the sentence says how. All
//! that can be said of a line without the lines before it is said here, so that many can be read at once.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use longhorn_canonical::hex::{Hash, unhex};
use longhorn_canonical::json::same;
use longhorn_canonical::note::{CHECKPOINT, note};
use longhorn_canonical::record::{Head, Reader, agree};

use super::chain::{LEAF, Tree, leaf};
use super::checkpoint::{Checkpoint, CheckpointError, parse};
use super::line::MOST;
use super::verify::Redaction;

/// No log has so many records: a number from here on is not the next one, and what it is good for is to overflow.
const MOST_RECORDS: u64 = 1 << 48;

/// What was read.
pub enum Line {
    /// Records, one after the other.
    Records(Stretch),
    /// What stands in for a record that was erased (GDPR Article 17); its hash keeps chain and tree intact.
    Redacted {
        /// The erased record's leaf hash; none where it is not one.
        leaf: Option<Hash>,
        /// Its number, and what is said of the erasing.
        says: Redaction,
        /// Bytes of the line that stands for it.
        length: usize,
    },
    /// A checkpoint note.
    Checkpoint {
        /// Its text.
        note: String,
        /// What it says.
        says: Result<Checkpoint, CheckpointError>,
    },
    /// Nothing of the kind; says how.
    Broken(String),
}

/// Records of one log that continue one another. One that means something to a verifier stands alone.
pub struct Stretch {
    /// The log.
    pub log: Box<str>,
    /// The hash of the record before the first; none where it is not one.
    pub prev: Option<Hash>,
    /// The hash of the last.
    pub last: Hash,
    /// Their leaves, from the first one's number on.
    pub tree: Tree,
    /// Wall clock of the first and the last, milliseconds.
    pub times: (i64, i64),
    /// Bytes of their lines, with their line feeds.
    pub bytes: u64,
    /// What a verifier must know of it.
    pub what: What,
}

impl Stretch {
    /// How many they are.
    pub fn lines(&self) -> u64 {
        self.tree.size() - self.tree.begin()
    }

    /// Takes in a record that continues it.
    fn take(&mut self, head: &Head<'_>, hash: Hash, bytes: u64) -> bool {
        let next = matches!(self.what, What::Other)
            && head.seq == self.tree.size()
            && head.prev.is_some_and(|prev| same(&prev, &self.last))
            && same(head.log, self.log.as_bytes());
        if next {
            self.tree.push(hash);
            self.last = hash;
            self.times.1 = head.time;
            self.bytes += bytes;
        }
        next
    }
}

/// Events that mean something to a verifier.
pub enum What {
    /// The first record; none where it is not JSON to the last letter.
    Started(Option<Box<Keys>>),
    /// The next key; none where it is not JSON to the last letter.
    Rotated(Option<String>),
    /// Records are missing, and the log says so.
    Gap,
    /// The last record.
    Sealed,
    /// Any other.
    Other,
}

/// What the first record says of the log; empty where it does not.
pub struct Keys {
    /// The first key.
    pub vkey: String,
    /// The log's name.
    pub origin: String,
    /// The node key's signature over both, base64.
    pub binding: String,
}

/// Reads the lines of a block. Before its first line stands one byte that is of no matter; each line ends in a line feed.
/// The line feeds are overwritten. False where a line is broken: what comes after it is left unread.
pub fn lines(mut block: &mut [u8], found: &mut Vec<Line>) -> bool {
    let mut reader = Reader::default();
    while let Some(length) = memchr::memchr(b'\n', &block[1..]) {
        let (marked, rest) = block.split_at_mut(1 + length);
        // What is hashed of a record is its line and the mark before it.
        marked[0] = LEAF;
        if let Err(what) = line(marked, &mut reader, found) {
            found.push(Line::Broken(what));
            return false;
        }
        block = rest;
    }
    true
}

/// One line, behind its mark.
fn line<'a>(marked: &'a [u8], reader: &mut Reader<'a>, found: &mut Vec<Line>) -> Result<(), String> {
    let raw = &marked[1..];
    if raw.len() > MOST {
        return Err(too_long(raw.len() as u64));
    }
    if let Some(head) = &reader.read(raw) {
        return add(head, marked, found);
    }
    if raw.starts_with(CHECKPOINT) {
        let note = note(raw).ok_or("its checkpoint is not written the one way that checkpoints are written")?;
        found.push(Line::Checkpoint { says: parse(&note).map(|(checkpoint, _)| checkpoint), note });
        return Ok(());
    }
    let text = std::str::from_utf8(raw).map_err(|_| "it is not UTF-8".to_owned())?;
    if text.starts_with("{\"prev\":\"") {
        return add(&record(text)?, marked, found);
    }
    if text.starts_with("{\"redacted\":") {
        let line: RedactedLine =
            serde_json::from_str(text).map_err(|error| format!("it is not a redaction: {}", describe(&error)))?;
        if line.by.is_empty() || line.why.is_empty() {
            return Err("a redaction must say by whom and why".into());
        }
        let says = Redaction { seq: line.seq, by: line.by, why: line.why };
        found.push(Line::Redacted { leaf: unhex(line.redacted.as_bytes()), says, length: raw.len() });
        return Ok(());
    }
    Err("it is neither a record nor a checkpoint".into())
}

/// A record: continues the stretch before it, or begins one.
fn add(head: &Head<'_>, marked: &[u8], found: &mut Vec<Line>) -> Result<(), String> {
    if head.seq >= MOST_RECORDS {
        return Err("its number is larger than that of any record".into());
    }
    let (hash, what, bytes) = (leaf(marked), what(head.event, &marked[1..]), marked.len() as u64);
    if matches!(what, What::Other)
        && let Some(Line::Records(stretch)) = found.last_mut()
        && stretch.take(head, hash, bytes)
    {
        return Ok(());
    }
    let mut tree = Tree::from(head.seq);
    tree.push(hash);
    let log = String::from_utf8_lossy(head.log).into();
    let times = (head.time, head.time);
    found.push(Line::Records(Stretch { log, prev: head.prev, last: hash, tree, times, bytes, what }));
    Ok(())
}

fn what(event: &[u8], raw: &[u8]) -> What {
    let ext = || serde_json::from_slice::<Value>(raw).ok().map(|mut value| value["ext"].take());
    let text = |ext: &Value, key: &str| ext[key].as_str().unwrap_or_default().to_owned();
    match event {
        b"log.started" => {
            let keys = |ext| Keys { vkey: text(&ext, "vkey"), origin: text(&ext, "origin"), binding: text(&ext, "binding") };
            What::Started(ext().map(keys).map(Box::new))
        }
        b"key.rotate" => What::Rotated(ext().map(|ext| text(&ext, "next_vkey"))),
        b"log.gap" => What::Gap,
        b"log.seal" => What::Sealed,
        _ => What::Other,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordLine<'a> {
    prev: &'a str,
    seq: u64,
    v: u32,
    log: &'a str,
    uid: &'a str,
    time: i64,
    boot_ns: &'a str,
    class_uid: u32,
    type_uid: u32,
    activity_id: u32,
    severity_id: u32,
    status_id: u32,
    event: &'a str,
    #[serde(default)]
    decision: Option<IgnoredAny>,
    #[serde(default)]
    reason: Option<IgnoredAny>,
    #[serde(default)]
    actor: Option<IgnoredAny>,
    #[serde(default, rename = "proc")]
    process: Option<IgnoredAny>,
    #[serde(default)]
    env: Option<IgnoredAny>,
    #[serde(default)]
    ctl: Option<IgnoredAny>,
    run: IgnoredAny,
    ext: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedactedLine {
    redacted: String,
    seq: u64,
    by: String,
    why: String,
}

/// A record in any JSON that has its keys.
fn record(text: &str) -> Result<Head<'_>, String> {
    let line: RecordLine<'_> = serde_json::from_str(text).map_err(|error| format!("it is not a record: {}", describe(&error)))?;
    let _ =
        (line.uid, line.boot_ns, line.decision, line.reason, line.actor, line.process, line.env, line.ctl, line.run, line.ext);
    if line.v != 1 {
        return Err(format!("it has schema version {}; this verifier knows 1", line.v));
    }
    if !agree(line.class_uid, line.type_uid, line.activity_id, line.severity_id, line.status_id) {
        return Err("its class, type, severity and status contradict one another".into());
    }
    Ok(Head {
        prev: unhex(line.prev.as_bytes()),
        seq: line.seq,
        log: line.log.as_bytes(),
        time: line.time,
        event: line.event.as_bytes(),
    })
}

/// What is wrong with a line of that many bytes.
pub fn too_long(length: u64) -> String {
    format!("it is {length} bytes long; no line is longer than {MOST}")
}

/// serde_json's sentence without the input that it may quote.
fn describe(error: &serde_json::Error) -> String {
    format!("{:?} error at column {}", error.classify(), error.column()).to_lowercase()
}

#[cfg(test)]
mod tests;
