//! What is read in one pass against what serde_json says of the same bytes.

use proptest::prelude::*;

use super::*;
use crate::host::clock::{BootTime, Timestamp};
use crate::record::event::{Actor, Control, Event, ObservedLaunch, Prior, Process, RunContext, Variables};
use crate::record::line::{Body, Frame, run};
use crate::record::scan::record;

/// One of each shape that a line can have, with what is hard to write in JSON.
fn events() -> Vec<Event> {
    let hard = || "\"\\ \u{7f}\u{0}\té\u{1f600}".to_owned();
    let actor = || Actor { id: hard(), kind: "user".into(), kid: "1".into() };
    let control = || Control { policy_serial: 1, policy_sha256: "00".into(), rule: hard() };
    let process = || Process { pid: 1, uid: 7 };
    let started = |prior| Event::Started {
        vkey: hard(),
        origin: hard(),
        node_key: String::new(),
        binding: String::new(),
        agent_sha256: String::new(),
        settings_sha256: String::new(),
        script_sha256: String::new(),
        kernel: hard(),
        boot: String::new(),
        journal: "off".into(),
        processes: "plain".into(),
        prior,
    };
    let list = || vec![hard(), hard()];
    let variables = || Variables { n: 2, removed: list(), pinned: 1, overridden: list() };
    let launched = |observed| Event::Launched {
        process: process(),
        target: 0,
        outcome: hard(),
        full: true,
        variables: variables(),
        corroborated: false,
        observed,
    };
    vec![
        started(None),
        started(Some(Prior { log: hard(), size: u64::MAX, root: String::new(), verdict: hard(), unsigned_tail: 9 })),
        Event::Inventory {
            processes: list(),
            listeners: Vec::new(),
            units: list(),
            cron: list(),
            init_scripts: list(),
            omitted: 3,
        },
        Event::Compared { listed: 3, missing: list(), differing: Vec::new() },
        Event::Attested { actor: actor(), proofs: list(), membership: hard() },
        Event::Stopped { refused: true, reason: hard(), headline: hard(), facts: list(), control: Some(control()) },
        Event::Granted {
            actor: actor(),
            control: control(),
            scope: hard(),
            roles: list(),
            permissions: list(),
            clearance: Vec::new(),
            enforcement: "observe".into(),
            trace_sha256: String::new(),
        },
        launched(None),
        launched(Some(ObservedLaunch { within: true, would_refuse: "lease-ended" })),
        Event::FilesSampled { paths: list(), full: true, ended: false },
        Event::PeerRefused { process: process() },
        Event::RequestRefused { process: process(), method: hard(), endpoint: String::new(), reason: hard() },
        Event::StatementSigned { process: process(), statement: hard(), about: hard(), sha256: String::new() },
        Event::PromotionJudged {
            process: process(),
            passed: false,
            model: hard(),
            version: hard(),
            alias: hard(),
            previous: String::new(),
            failed: list(),
            labels: Vec::new(),
            approved: list(),
        },
        Event::KeyRotated { next_vkey: hard() },
        Event::Heartbeat { journal_dropped: 0, launches_unrecorded: 10, disk_free: u64::MAX },
        Event::Sealed,
    ]
}

fn lines() -> Vec<Vec<u8>> {
    let context = RunContext { workspace: "https://a.example".into(), node: "é\"".into(), ..RunContext::default() };
    let (time, boot) = (Timestamp::from_millis(1_700_000_000_000), BootTime(9));
    let line = |(seq, event): (u64, Event)| {
        let mut line = Vec::new();
        let frame = Frame { prev: &[0xa7; 32], seq, log: "l-1", time, boot, run: &run(&context) };
        frame.render(&Body::of(&event, "u".into()), &mut line);
        line
    };
    (0..).zip(events()).map(line).collect()
}

fn by_json(line: &[u8]) -> Option<Head<'_>> {
    record(std::str::from_utf8(line).ok()?).ok()
}

#[test]
fn what_our_writer_writes_is_known_whatever_came_before_it() {
    let lines = lines();
    for before in &lines {
        for line in &lines {
            let mut reader = Reader::default();
            let _ = reader.read(before);
            let head = reader.read(line);
            assert!(head.is_some(), "{}", String::from_utf8_lossy(line));
            assert_eq!(head, by_json(line), "{}", String::from_utf8_lossy(line));
        }
    }
}

/// Parts of JSON, whole and broken, and what is not JSON at all.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u00e9",
    "\\ud800",
    "\\x",
    "\\u12",
    "-",
    "0",
    "00",
    "1",
    ".",
    "e",
    "E+",
    "18446744073709551616",
    "true",
    "fals",
    "null",
    "\"a\"",
    "\"a\":",
    "\"run\":",
    "\"seq\":1,",
    " ",
    "\t",
    "\n",
    "\u{1}",
    "\u{7f}",
    "é",
    "\"v\":1,",
    "\"argv\":\"x\",",
    "\"ctl\":{},",
    "\"decision\":0,",
    "\"prev\":\"\",",
];

fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let lines = lines();
    let edit = (any::<prop::sample::Index>(), 0..6usize, prop::collection::vec(prop::sample::select(PIECES), 0..4));
    (0..lines.len(), prop::collection::vec(edit, 1..4)).prop_map(move |(which, edits)| {
        let mut line = lines[which].clone();
        for (at, removed, pieces) in edits {
            let at = at.index(line.len() + 1);
            let end = (at + removed).min(line.len());
            line.splice(at..end, pieces.concat().into_bytes());
        }
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn a_line_that_is_known_is_one_for_json_too_and_says_the_same(first in spoilt(), second in spoilt()) {
        let mut reader = Reader::default();
        for line in [&first, &second] {
            if let Some(head) = reader.read(line) {
                prop_assert_eq!(Some(head), by_json(line), "{}", String::from_utf8_lossy(line));
            }
        }
    }

    #[test]
    fn a_value_that_is_known_is_one_for_json_too(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12)) {
        let value = pieces.concat();
        let honest = String::from_utf8(lines().swap_remove(9)).unwrap();
        let line = format!("{}\"ext\":{value}}}", honest.split("\"ext\":").next().unwrap());
        let head = Reader::default().read(line.as_bytes());
        prop_assert!(head.is_none() || head == by_json(line.as_bytes()), "{line}");
    }
}
