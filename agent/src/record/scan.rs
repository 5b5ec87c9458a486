//! Lines of a log, as they lie there. Nothing is believed; where a line breaks the format, the sentence says how.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// One line.
pub enum Line<'a> {
    /// A record.
    Leaf {
        /// The hash of the record before, hex.
        prev: &'a str,
        /// Its number.
        seq: u64,
        /// Its log.
        log: &'a str,
        /// Wall clock, milliseconds.
        time: i64,
        /// Its name.
        event: &'a str,
        /// The whole line.
        raw: &'a [u8],
    },
    /// A checkpoint note.
    Checkpoint(String),
    /// What stands in for a record that was erased (GDPR Article 17); its hash keeps chain and tree intact.
    Redacted {
        /// The erased record's leaf hash, hex.
        leaf: String,
        /// Its number.
        seq: u64,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head<'a> {
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
struct CheckpointLine {
    checkpoint: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedactedLine {
    redacted: String,
    seq: u64,
    by: String,
    why: String,
}

/// Reads one line without its line feed.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn read(raw: &[u8]) -> Result<Line<'_>, String> {
    if raw.len() > super::line::MOST {
        return Err(format!("it is {} bytes long; no line is longer than {}", raw.len(), super::line::MOST));
    }
    let text = std::str::from_utf8(raw).map_err(|_| "it is not UTF-8".to_owned())?;
    if text.starts_with("{\"prev\":\"") {
        let head: Head<'_> = serde_json::from_str(text).map_err(|error| format!("it is not a record: {}", describe(&error)))?;
        let _ = (
            head.uid,
            head.boot_ns,
            head.decision,
            head.reason,
            head.actor,
            head.process,
            head.env,
            head.ctl,
            head.run,
            head.ext,
        );
        if head.v != 1 {
            return Err(format!("it has schema version {}; this verifier knows 1", head.v));
        }
        if head.type_uid != head.class_uid.wrapping_mul(100).wrapping_add(head.activity_id)
            || head.severity_id > 6
            || head.status_id > 99
        {
            return Err("its class, type, severity and status contradict one another".into());
        }
        return Ok(Line::Leaf { prev: head.prev, seq: head.seq, log: head.log, time: head.time, event: head.event, raw });
    }
    if text.starts_with("{\"checkpoint\":") {
        let line: CheckpointLine =
            serde_json::from_str(text).map_err(|error| format!("it is not a checkpoint line: {}", describe(&error)))?;
        if text != format!("{{\"checkpoint\":{}}}", super::verify::checkpoint_json(&line.checkpoint)) {
            return Err("its checkpoint is not written the one way that checkpoints are written".into());
        }
        return Ok(Line::Checkpoint(line.checkpoint));
    }
    if text.starts_with("{\"redacted\":") {
        let line: RedactedLine =
            serde_json::from_str(text).map_err(|error| format!("it is not a redaction: {}", describe(&error)))?;
        if line.by.is_empty() || line.why.is_empty() {
            return Err("a redaction must say by whom and why".into());
        }
        return Ok(Line::Redacted { leaf: line.redacted, seq: line.seq });
    }
    Err("it is neither a record nor a checkpoint".into())
}

/// serde_json's sentence without the input that it may quote.
fn describe(error: &serde_json::Error) -> String {
    format!("{:?} error at column {}", error.classify(), error.column()).to_lowercase()
}
