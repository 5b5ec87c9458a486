//! One event as one line: fixed key order, `prev` first, ASCII only, at most 65,535 bytes (the C2SP tile limit).

use std::io::Write;

use serde::Serialize;
use serde_json::{Value, json};

use super::chain::Hash;
use super::event::{Event, RunContext};
use crate::host::clock::{BootTime, Timestamp};
use crate::host::digest::hex;

/// No line is longer.
pub const MOST: usize = 65_535;
/// Lists longer than this are cut, and say by how much.
const MOST_ENTRIES: usize = 128;
const MOST_TEXT: usize = 400;
/// Bytes of one list at the most.
const MOST_LIST: usize = 12_000;
/// Bytes of the lists of an inventory together, which then fit one line.
const MOST_INVENTORY: usize = 60_000;

/// What an event says of itself, rendered by whoever records it. The writer puts the rest around it.
pub struct Body {
    /// The event's name.
    pub name: &'static str,
    /// The event's id (UUIDv7).
    uid: String,
    /// From its class to the last section before `run`, then what comes after it.
    text: Vec<u8>,
    /// Where `run` stands between the two.
    run: usize,
}

impl Body {
    /// Of this event.
    pub fn of(event: &Event, uid: String) -> Self {
        let class = event.class();
        let mut text = Writer(Vec::with_capacity(512));
        text.key("class_uid", &class.class);
        text.key("type_uid", &(class.class * 100 + class.activity));
        text.key("activity_id", &class.activity);
        text.key("severity_id", &class.severity);
        text.key("status_id", &class.status);
        text.key("event", &class.name);
        sections(&mut text, event);
        let run = text.0.len();
        text.key("ext", &extension(event));
        Self { name: class.name, uid, text: text.0, run }
    }
}

/// Where and for what, as it stands in every line.
pub fn run(context: &RunContext) -> Vec<u8> {
    let mut run = Writer(Vec::with_capacity(256));
    run.key("run", context);
    run.0
}

/// What stands in every line around an event.
pub struct Frame<'a> {
    /// The leaf hash of the line before.
    pub prev: &'a Hash,
    /// Counts from 0.
    pub seq: u64,
    /// The log's id.
    pub log: &'a str,
    /// Wall clock.
    pub time: Timestamp,
    /// Monotonic.
    pub boot: BootTime,
    /// Where and for what, from [`run`].
    pub run: &'a [u8],
}

impl Frame<'_> {
    /// Adds the line without its line feed.
    pub fn render(&self, body: &Body, bytes: &mut Vec<u8>) {
        let from = bytes.len();
        let (prev, seq, log, uid) = (hex(self.prev), self.seq, self.log, &body.uid);
        let (time, boot) = (self.time.millis(), self.boot.0);
        write!(bytes, r#"{{"prev":"{prev}","seq":{seq},"v":1,"log":"{log}","uid":"{uid}","time":{time},"boot_ns":"{boot}""#)
            .expect("memory takes all bytes");
        let (before, after) = body.text.split_at(body.run);
        for part in [before, self.run, after, b"}"] {
            bytes.extend_from_slice(part);
        }
        debug_assert!(bytes.len() - from <= MOST);
    }
}

/// decision, reason, actor, proc, env, ctl: absent sections are left out.
fn sections(line: &mut Writer, event: &Event) {
    match event {
        Event::Granted { actor, control, enforcement, .. } => {
            line.key("decision", if enforcement == "observe" { &"observe" } else { &"allow" });
            line.key("actor", actor);
            line.key("ctl", control);
        }
        Event::Stopped { refused, reason, control, .. } => {
            line.key("decision", if *refused { &"deny" } else { &"unknown" });
            line.key("reason", &cut(reason));
            if let Some(control) = control {
                line.key("ctl", control);
            }
        }
        Event::Attested { actor, .. } => line.key("actor", actor),
        Event::ContextWithdrawn { reason } | Event::LockRefused { reason, .. } | Event::Gap { reason, .. } => {
            line.key("reason", &cut(reason))
        }
        Event::Launched { process, variables, .. } => {
            line.key("proc", process);
            line.key(
                "env",
                &json!({
                    "n": variables.n, "removed": list(&variables.removed),
                    "pinned": variables.pinned, "overridden": list(&variables.overridden),
                }),
            );
        }
        Event::PeerRefused { process } | Event::StatementSigned { process, .. } => line.key("proc", process),
        Event::PromotionJudged { process, passed, .. } => {
            line.key("decision", if *passed { &"allow" } else { &"deny" });
            line.key("proc", process);
        }
        Event::RequestRefused { process, reason, .. } => {
            line.key("decision", &"deny");
            line.key("reason", &cut(reason));
            line.key("proc", process);
        }
        Event::Started { .. }
        | Event::Inventory { .. }
        | Event::Compared { .. }
        | Event::ContextIssued { .. }
        | Event::LockSealed { .. }
        | Event::FilesSampled { .. }
        | Event::SidecarRestarted
        | Event::KeyRotated { .. }
        | Event::Heartbeat { .. }
        | Event::Sealed => {}
    }
}

fn extension(event: &Event) -> Value {
    match event {
        Event::Started {
            vkey,
            origin,
            node_key,
            binding,
            agent_sha256,
            settings_sha256,
            script_sha256,
            kernel,
            boot,
            journal,
            processes,
            prior,
        } => json!({
            "vkey": vkey, "origin": origin, "node_key": node_key, "binding": binding, "agent_sha256": agent_sha256,
            "settings_sha256": settings_sha256, "script_sha256": script_sha256, "kernel": cut(kernel), "boot": boot,
            "journal": journal, "processes": cut(processes), "prior": prior,
        }),
        Event::Inventory { processes, listeners, units, cron, init_scripts, omitted } => {
            let mut lists = [processes, listeners, units, cron, init_scripts].map(|entries| (entries, Vec::new()));
            let cut = share(&mut lists.each_mut().map(|(entries, kept)| (entries.as_slice(), kept)));
            let [processes, listeners, units, cron, init_scripts] = lists.map(|(_, kept)| kept);
            json!({
                "processes": processes, "listeners": listeners, "units": units, "cron": cron, "init_scripts": init_scripts,
                "omitted": *omitted as usize + cut,
            })
        }
        Event::Compared { listed, missing, differing } => {
            json!({ "listed": listed, "missing": list(missing), "differing": list(differing) })
        }
        Event::Attested { proofs, membership, .. } => json!({ "proofs": list(proofs), "membership": membership }),
        Event::Stopped { headline, facts, .. } => json!({ "headline": cut(headline), "facts": list(facts) }),
        Event::Granted { scope, roles, permissions, clearance, enforcement, trace_sha256, .. } => json!({
            "scope": scope, "roles": list(roles), "permissions": permissions, "clearance": list(clearance),
            "enforcement": enforcement, "trace_sha256": trace_sha256,
        }),
        Event::ContextIssued { jti, expires, sha256 } => json!({ "jti": jti, "expires": expires, "sha256": sha256 }),
        Event::LockSealed { sha256, strength, open, report_sha256 } => {
            json!({ "sha256": sha256, "strength": strength, "open": list(open), "report_sha256": report_sha256 })
        }
        Event::LockRefused { detail, .. } => json!({ "detail": cut(detail) }),
        Event::Launched { target, outcome, full, corroborated, observed, .. } => {
            let mut said = json!({ "target": target, "outcome": outcome, "full": full, "corroborated": corroborated });
            if let Some(observed) = observed {
                said["observed"] = json!(observed);
            }
            said
        }
        // Always said, so that nobody takes it for more than it is.
        Event::FilesSampled { paths, full, ended } => {
            json!({ "sampled": true, "complete": false, "paths": list(paths), "full": full, "ended": ended })
        }
        Event::KeyRotated { next_vkey } => json!({ "next_vkey": next_vkey }),
        Event::Heartbeat { journal_dropped, launches_unrecorded, disk_free } => json!({
            "journal_dropped": journal_dropped, "launches_unrecorded": launches_unrecorded, "disk_free": disk_free,
        }),
        Event::Gap { count, .. } => json!({ "count": count }),
        Event::RequestRefused { method, endpoint, .. } => json!({ "method": cut(method), "endpoint": endpoint }),
        Event::PromotionJudged { model, version, alias, previous, failed, labels, approved, .. } => json!({
            "model": cut(model), "version": cut(version), "alias": cut(alias), "previous": cut(previous), "failed": list(failed),
            "labels": list(labels), "approved": list(approved),
        }),
        Event::StatementSigned { statement, about, sha256, .. } => {
            json!({ "statement": statement, "about": cut(about), "sha256": sha256 })
        }
        Event::ContextWithdrawn { .. } | Event::PeerRefused { .. } | Event::SidecarRestarted | Event::Sealed => json!({}),
    }
}

/// As many entries as fit; the last one says how many are missing.
fn list(entries: &[String]) -> Vec<String> {
    let mut kept = fitting(&entries[..entries.len().min(MOST_ENTRIES)], MOST_LIST);
    say_missing(&mut kept, entries.len());
    kept
}

fn say_missing(kept: &mut Vec<String>, of: usize) {
    if kept.len() < of {
        kept.push(format!("… and {} more", of - kept.len()));
    }
}

/// Lists that share their room: what a short one leaves is for the longer ones. Returns how many entries did not fit.
fn share(lists: &mut [(&[String], &mut Vec<String>)]) -> usize {
    let size = |entries: &[String]| entries.iter().map(|entry| written_with(&cut(entry))).sum::<usize>();
    lists.sort_by_key(|(entries, _)| size(entries));
    let (mut room, mut missing) = (MOST_INVENTORY, 0);
    let count = lists.len();
    for (at, (entries, kept)) in lists.iter_mut().enumerate() {
        **kept = fitting(entries, room / (count - at));
        room -= kept.iter().map(|entry| written_with(entry)).sum::<usize>();
        missing += entries.len() - kept.len();
        say_missing(kept, entries.len());
    }
    missing
}

/// As many entries as fit, each of at most [`MOST_TEXT`] characters.
fn fitting(entries: &[String], mut room: usize) -> Vec<String> {
    let fits = |text: &String| {
        let left = room.checked_sub(written_with(text));
        room = left.unwrap_or(0);
        left.is_some()
    };
    entries.iter().map(|one| cut(one)).take_while(fits).collect()
}

/// Quotes, comma, and what the line will hold.
fn written_with(text: &str) -> usize {
    3 + text.chars().map(written).sum::<usize>()
}

/// Bytes that a letter is written with, at the most.
fn written(letter: char) -> usize {
    match letter {
        '"' | '\\' => 2,
        _ if letter.is_ascii() && !letter.is_ascii_control() => 1,
        _ => 6 * letter.len_utf16(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Keys with their values, each with a comma before it.
struct Writer(Vec<u8>);

impl Writer {
    fn key<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
        let from = self.0.len();
        serde_json::to_writer(&mut self.0, value).expect("strings, numbers, lists and maps with string keys");
        if !self.0[from..].is_ascii() {
            let text = self.0.split_off(from);
            self.escape(std::str::from_utf8(&text).expect("serde_json writes UTF-8"));
        }
    }

    fn escape(&mut self, text: &str) {
        let mut units = [0u16; 2];
        for letter in text.chars() {
            match u8::try_from(letter).ok().filter(u8::is_ascii) {
                Some(letter) => self.0.push(letter),
                // JSON escapes beyond the basic plane are surrogate pairs (RFC 8259 §7).
                None => letter
                    .encode_utf16(&mut units)
                    .iter()
                    .for_each(|unit| self.0.extend_from_slice(format!("\\u{unit:04x}").as_bytes())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_ascii_json_with_prev_first_however_long_its_input() {
        let context = RunContext { workspace: "https://a.example".into(), node: "é\u{1f600}\n".into(), ..RunContext::default() };
        let long: Vec<String> = (0..10_000).map(|at| format!("{at}-{}", "ü".repeat(1000))).collect();
        let event = Event::Inventory {
            processes: long.clone(),
            listeners: long.clone(),
            units: long.clone(),
            cron: long.clone(),
            init_scripts: long,
            omitted: 7,
        };
        let (time, boot) = (Timestamp::from_millis(5), BootTime(9));
        let frame = Frame { prev: &[0; 32], seq: 7, log: "l", time, boot, run: &run(&context) };
        let mut line = Vec::new();
        frame.render(&Body::of(&event, "u".into()), &mut line);
        let line = String::from_utf8(line).unwrap();
        assert!(line.is_ascii() && line.starts_with("{\"prev\":\"0") && !line.contains('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["run"]["node"], "é\u{1f600}\n");
        let kept = |name: &str| value["ext"][name].as_array().unwrap().len() - 1;
        let kept: usize = ["processes", "listeners", "units", "cron", "init_scripts"].into_iter().map(kept).sum();
        assert_eq!(value["ext"]["omitted"], 7 + 50_000 - kept, "what the line has no room for is omitted as well");
        let processes = value["ext"]["processes"].as_array().unwrap();
        assert!(
            line.len() <= MOST && processes.last().unwrap() == &format!("… and {} more", 10_001 - processes.len()),
            "{}",
            line.len()
        );
    }
}
