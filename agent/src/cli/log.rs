//! `longhorn log`: shows records to a person, and verifies a log offline.

use std::fs;
use std::path::{Path, PathBuf};

use super::args::{LogArgs, LogCommand, LogShowArgs, LogVerifyArgs};
use super::terminal::{Terminal, closed};
use crate::config::document::read_data;
use crate::context::NodePublicKey;
use crate::exit::Exit;
use crate::host::clock::Timestamp;
use crate::host::paths;
use crate::record::checkpoint::parse;
use crate::record::verify::{Anchor, Known, NodeAnchor, Redaction, Report, Signatures, Verdict, verify};
use crate::screen::{Screen, one_line};

/// Runs `longhorn log`.
pub fn run(args: &LogArgs, terminal: &mut Terminal<'_>) -> Exit {
    let outcome = match &args.command {
        LogCommand::Show(show_args) => show(show_args, terminal),
        LogCommand::Verify(verify_args) => check(verify_args, terminal),
    };
    outcome.unwrap_or_else(|screen| terminal.show(&screen))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Screen {
    Screen::failed("log-unreadable", Exit::LogUnreadable, "the log cannot be read")
        .fact("path", path.display())
        .fact("expected", "a log directory with segments, or a segment")
        .fact("presented", error)
        .hint("name a log directory: /var/lib/longhorn/log/<log id>")
}

/// The segments of a log: of a file, of a log's directory, or of the newest log below a directory of logs.
fn segments(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if fs::metadata(path)?.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    entries.sort();
    let own: Vec<PathBuf> = entries
        .iter()
        .filter(|entry| entry.extension().is_some_and(|extension| extension == "jsonl") && entry.is_file())
        .cloned()
        .collect();
    match (own.is_empty(), entries.iter().rfind(|entry| entry.is_dir())) {
        (true, Some(newest)) => segments(newest),
        (true, None) => Err(std::io::ErrorKind::NotFound.into()),
        (false, _) => Ok(own),
    }
}

fn show(args: &LogShowArgs, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let path = args.path.as_deref().unwrap_or(Path::new(paths::LOG));
    let mut found = false;
    for file in segments(path).map_err(|error| unreadable(path, &error))? {
        let bytes = fs::read(&file).map_err(|error| unreadable(&file, &error))?;
        // What no line feed ends was never acknowledged: a crash left it, or somebody who wants it read.
        for raw in bytes.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n")) {
            let value = serde_json::from_slice::<serde_json::Value>(raw).ok().filter(|value| value.get("seq").is_some());
            let Some(value) = value else { continue };
            if args.entry.is_some_and(|entry| value["seq"] != entry) {
                continue;
            }
            found = true;
            if args.json {
                terminal.out.write_all(raw).and_then(|()| terminal.out.write_all(b"\n")).map_err(closed)?;
            } else {
                write!(terminal.out, "{}", sentence(&value, args.entry.is_some())).map_err(closed)?;
            }
        }
    }
    match args.entry {
        Some(entry) if !found => Err(Screen::failed("no-such-record", Exit::NoInput, "the log has no record of that number")
            .fact("expected", "the number of a record")
            .fact("presented", entry)
            .hint("`longhorn log show` prints every record with its number")),
        _ => Ok(Exit::Ok),
    }
}

/// One record for a person: number, time, name, then what it is about; with every detail when it was asked for by number.
fn sentence(value: &serde_json::Value, detailed: bool) -> String {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let time = Timestamp::from_millis(value["time"].as_i64().unwrap_or(0));
    let mut words = Vec::new();
    for key in ["decision", "reason"] {
        words.extend(value.get(key).map(text));
    }
    let about = value["ext"].as_object().into_iter().flatten().filter(|(key, _)| {
        ["scope", "strength", "outcome", "headline", "membership", "jti", "statement", "about", "model", "version", "alias"]
            .contains(&key.as_str())
    });
    words.extend(about.map(|(_, value)| text(value)));
    let (seq, event) = (one_line(&text(&value["seq"])), one_line(&text(&value["event"])));
    let mut line = format!("{seq:>6}  {time}  {event:18} {}\n", one_line(&words.join(", ")));
    if detailed {
        for section in ["actor", "run", "proc", "env", "ctl", "ext"] {
            for (key, value) in value.get(section).and_then(serde_json::Value::as_object).into_iter().flatten() {
                line.push_str(&format!("        {:30} {}\n", one_line(&format!("{section}.{key}")), one_line(&text(value))));
            }
        }
    }
    line
}

fn check(args: &LogVerifyArgs, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let anchors = args.anchors.iter().map(|path| anchor(path)).collect::<Result<Vec<_>, _>>()?;
    let signatures = if args.full { Signatures::All } else { Signatures::Newest };
    let known = Known { anchors: &anchors, erased: &args.erased };
    let report = verify(&args.path, &known, signatures).map_err(|error| unreadable(&args.path, &error))?;
    let text = if args.json { json(&report) } else { plain(&report) };
    write!(terminal.out, "{text}").map_err(closed)?;
    Ok(report.verdict.exit())
}

/// A C2SP checkpoint, or the JWK of a node key.
fn anchor(path: &Path) -> Result<Anchor, Screen> {
    let bytes = read_data(path)?;
    if let Ok(key) = NodePublicKey::from_jwk(&bytes) {
        return Ok(Anchor::NodeKey(NodeAnchor { public: *key.as_bytes() }));
    }
    let note = std::str::from_utf8(&bytes).ok().and_then(|text| parse(text).ok());
    note.map(|(checkpoint, _)| Anchor::Checkpoint(checkpoint)).ok_or_else(|| {
        Screen::failed("anchor-malformed", Exit::Data, "an anchor is a checkpoint or a node key")
            .fact("file", path.display())
            .fact("expected", "a C2SP checkpoint, or the JWK of a node key")
            .fact("presented", "something else")
            .hint("`jq -r .checkpoint` prints a log's checkpoints")
    })
}

fn details(verdict: &Verdict) -> Vec<(&'static str, String)> {
    match verdict {
        Verdict::Invalid(fault) => {
            vec![("file", fault.file.display().to_string()), ("line", fault.line.to_string()), ("what", fault.what.clone())]
        }
        Verdict::Diverged(what) => vec![("what", what.clone())],
        Verdict::Open => vec![("what", "the chain is good and the seal is missing: the log goes on, or its tail was cut".into())],
        Verdict::Unanchored => vec![("what", "complete; give --anchor with what is known from outside the node".into())],
        Verdict::Sealed => Vec::new(),
    }
}

fn plain(report: &Report) -> String {
    let mut rows = details(&report.verdict);
    rows.push(("records", format!("{} ({} committed)", report.leaves, report.committed)));
    rows.push(("checkpoints", format!("{} by {} keys", report.checkpoints, report.epochs)));
    rows.push(("signatures", format!("{} of {} checked", report.signatures_checked, report.checkpoints)));
    if let Some((first, last)) = report.times {
        rows.push(("time", format!("{} to {}", Timestamp::from_millis(first), Timestamp::from_millis(last))));
    }
    rows.push(("gaps", report.gaps.to_string()));
    rows.push(("redacted", report.redacted.to_string()));
    let said = |Redaction { seq, by, why }: &Redaction| ("", format!("record {seq}, unsigned: by {by}: {why}"));
    rows.extend(report.redactions.iter().map(said));
    rows.push(("unsigned tail", format!("{} bytes", report.unsigned_tail)));
    rows.push(("log", report.origin.clone()));
    let rows: String = rows.iter().map(|(label, value)| format!("  {label:14} {}\n", one_line(value))).collect();
    format!("{}\n{rows}", report.verdict.word())
}

fn json(report: &Report) -> String {
    let detail: serde_json::Map<String, serde_json::Value> =
        details(&report.verdict).into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    let said = |Redaction { seq, by, why }: &Redaction| serde_json::json!({ "seq": seq, "by": by, "why": why });
    let redactions: Vec<_> = report.redactions.iter().map(said).collect();
    let value = serde_json::json!({
        "verdict": report.verdict.word(), "detail": detail, "records": report.leaves, "committed": report.committed,
        "checkpoints": report.checkpoints, "signatures_checked": report.signatures_checked, "keys": report.epochs, "gaps": report.gaps,
        "redacted": report.redacted, "redactions": redactions,
        "unsigned_tail_bytes": report.unsigned_tail, "first_ms": report.times.map(|(first, _)| first),
        "last_ms": report.times.map(|(_, last)| last), "log": report.origin, "root": report.root_base64,
    });
    format!("{value}\n")
}
