//! What the issuer did, one line each, each holding the digest of the line before. A line is durable when [`Ledger::append`]
//! returns; an issuer that could not make one durable makes no other: what the disk then holds is read when it starts again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::host::clock::Timestamp;
use crate::host::digest::sha256_hex;

const NAME: &str = "ledger.jsonl";
const NEW: &str = "ledger.new";
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Entry {
    /// The store was made, for this issuer.
    Opened {
        /// Its name.
        issuer: String,
    },
    /// A signing key was made; its private half lies beside the ledger.
    Key {
        /// `ed25519:` and base64.
        public: String,
        /// When it begins to sign, in milliseconds since 1970.
        signs_from: i64,
    },
    /// A node key was certified.
    Certified {
        /// `<cloud>:<owner>/<instance>`.
        instance: String,
        /// The kernel's boot id, by the node's word.
        boot: String,
        /// The node key's thumbprint.
        key: String,
        /// The signing key's.
        kid: String,
        /// The certificate's end, in seconds since 1970.
        until: i64,
        /// The certificate.
        certificate: String,
        /// SHA-256 (hex) over the evidence.
        evidence: String,
    },
    /// Somebody asked for what another one has.
    Alarm {
        /// The refusal's stable name.
        reason: String,
        /// See `Certified`.
        instance: String,
        /// See `Certified`.
        boot: String,
        /// The key that was refused.
        key: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    prev: String,
    seq: u64,
    time: i64,
    entry: Entry,
}

/// Why there is no ledger to go on with.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk refused.
    #[error("cannot {step} {path}")]
    Disk {
        /// What.
        step: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A line is not what was written after the one before.
    #[error("line {line} of the ledger does not follow from the one before")]
    Damaged {
        /// Counted from 1.
        line: u64,
    },
    /// Something could not be made durable before.
    #[error("the ledger failed before")]
    Ended,
}

/// The ledger, at its end.
pub struct Ledger {
    file: File,
    path: PathBuf,
    prev: String,
    seq: u64,
    ended: bool,
}

impl Ledger {
    /// Reads all that is there and makes it durable once more: after a failed sync a kernel shows what the disk may not hold.
    /// A last line without its end was never acknowledged and is left out.
    ///
    /// # Errors
    /// When it cannot be read or written, or is damaged.
    pub fn open(directory: &Path) -> Result<(Self, Vec<(Timestamp, Entry)>), LedgerError> {
        let path = directory.join(NAME);
        let failed = |step| {
            let path = path.clone();
            move |cause| LedgerError::Disk { step, path, cause }
        };
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other.map_err(failed("read"))?,
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (entries, prev) = read(&bytes[..whole])?;
        let new = directory.join(NEW);
        let write = || -> io::Result<File> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            file.write_all(&bytes[..whole])?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(directory)?.sync_all()?;
            OpenOptions::new().append(true).open(&path)
        };
        let file = write().map_err(failed("write"))?;
        let seq = entries.len() as u64;
        Ok((Self { file, path, prev, seq, ended: false }, entries))
    }

    /// Adds an entry; it is durable when this returns.
    ///
    /// # Errors
    /// When it may not be: then nothing more is added.
    pub fn append(&mut self, entry: &Entry, now: Timestamp) -> Result<(), LedgerError> {
        if self.ended {
            return Err(LedgerError::Ended);
        }
        let line = Line { prev: self.prev.clone(), seq: self.seq, time: now.millis(), entry: entry.clone() };
        let mut bytes = serde_json::to_vec(&line).expect("a line is texts and numbers");
        let digest = sha256_hex(&bytes);
        bytes.push(b'\n');
        if let Err(cause) = self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
            self.ended = true;
            return Err(LedgerError::Disk { step: "write", path: self.path.clone(), cause });
        }
        self.prev = digest;
        self.seq += 1;
        Ok(())
    }
}

fn read(bytes: &[u8]) -> Result<(Vec<(Timestamp, Entry)>, String), LedgerError> {
    let mut prev = NOTHING.to_owned();
    let mut entries = Vec::new();
    for text in bytes.split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1]) {
        let seq = entries.len() as u64;
        let line: Line = serde_json::from_slice(text).map_err(|_| LedgerError::Damaged { line: seq + 1 })?;
        if line.prev != prev || line.seq != seq {
            return Err(LedgerError::Damaged { line: seq + 1 });
        }
        prev = sha256_hex(text);
        entries.push((Timestamp::from_millis(line.time), line.entry));
    }
    Ok((entries, prev))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("longhorn-ledger-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn opened(name: &str) -> Entry {
        Entry::Opened { issuer: name.into() }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn what_was_written_is_read_back_and_a_torn_end_is_left_out_wherever_it_is_torn() {
        let place = place("torn");
        let (mut ledger, entries) = Ledger::open(&place).unwrap();
        assert_eq!(entries, []);
        for name in ["a", "b", "c"] {
            ledger.append(&opened(name), NOW).unwrap();
        }
        drop(ledger);
        let bytes = fs::read(place.join(NAME)).unwrap();
        let ends: Vec<usize> = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
        for length in 0..=bytes.len() {
            fs::write(place.join(NAME), &bytes[..length]).unwrap();
            let (mut ledger, entries) = Ledger::open(&place).unwrap();
            assert_eq!(entries.len(), ends.iter().filter(|end| **end <= length).count(), "{length} bytes");
            ledger.append(&opened("next"), NOW).unwrap();
            assert_eq!(Ledger::open(&place).unwrap().1.len(), entries.len() + 1, "{length} bytes");
        }
        fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn a_line_that_was_edited_taken_out_or_moved_stops_the_issuer() {
        let place = place("edited");
        let (mut ledger, _) = Ledger::open(&place).unwrap();
        for name in ["a", "b", "c"] {
            ledger.append(&opened(name), NOW).unwrap();
        }
        let text = fs::read_to_string(place.join(NAME)).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let edited = text.replacen("\"issuer\":\"b\"", "\"issuer\":\"x\"", 1);
        for (damaged, line) in [
            (edited, 3),
            ([lines[0], lines[2]].concat(), 2),
            ([lines[1], lines[2]].concat(), 1),
            ([lines[1], lines[0], lines[2]].concat(), 1),
            ([lines[0], "{}\n", lines[1]].concat(), 2),
        ] {
            fs::write(place.join(NAME), &damaged).unwrap();
            let outcome = Ledger::open(&place).map(|(_, entries)| entries);
            assert!(matches!(outcome, Err(LedgerError::Damaged { line: at }) if at == line), "{damaged}: {outcome:?}");
        }
        fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn a_disk_that_refused_once_is_not_written_to_again() {
        let place = place("full");
        let (mut ledger, _) = Ledger::open(&place).unwrap();
        ledger.file = OpenOptions::new().append(true).open("/dev/full").unwrap();
        assert!(matches!(ledger.append(&opened("a"), NOW), Err(LedgerError::Disk { .. })));
        ledger.file = OpenOptions::new().append(true).open(place.join(NAME)).unwrap();
        assert!(matches!(ledger.append(&opened("a"), NOW), Err(LedgerError::Ended)));
        assert!(ledger.ended);
        assert_eq!(Ledger::open(&place).unwrap().1, []);
        fs::remove_dir_all(&place).unwrap();
    }
}
