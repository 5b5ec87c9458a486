//! Promises of the record when its writer is killed or its disk fails: a real process, real system calls, real files.
//! The writer is this very test binary, started again; it notes each acknowledgement after it was given.

#[path = "support/log.rs"]
mod log;
mod support;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{IoSlice, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use log::{beat, start};
use longhorn::exit::Exit;
use longhorn::host::clock::SystemClock;
use longhorn::host::random::{Random, SystemRandomness};
use longhorn::record::Recorder;
use longhorn::record::append::newest;
use longhorn::record::disk::Directory;
use longhorn::record::verify::{Known, Report, Signatures, Verdict, verify};
use support::{long, longhorn, text, tree};

/// The directory of logs that the writer adds to. Only where it is set is this process a writer.
const WRITE_TO: &str = "LONGHORN_TEST_WRITE_TO";
/// How many records; none: until killed, by four callers.
const COUNT: &str = "LONGHORN_TEST_COUNT";
/// Set: a refused record does not end the writer.
const GO_ON: &str = "LONGHORN_TEST_GO_ON";

const WRITER: &str = "the_writer_writes_only_where_it_was_told_to";

#[test]
fn the_writer_writes_only_where_it_was_told_to() {
    if let Some(directory) = std::env::var_os(WRITE_TO) {
        write(&PathBuf::from(directory));
    }
}

#[expect(clippy::exit, reason = "how the writer ends is what is tested; the harness would change it")]
fn write(directory: &Path) {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("it is a number"));
    let start = start(newest(directory));
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
    let recorder = match number(COUNT) {
        None => Recorder::create(directory, start, clock, random),
        Some(_) => {
            let disk = Directory::create(&directory.join("log")).expect("the log's directory can be made");
            Recorder::on(Box::new(disk), "log".into(), start, clock, random)
        }
    };
    let Ok(recorder) = recorder else { std::process::exit(Exit::Record.code().into()) };
    let acks = OpenOptions::new().append(true).create(true).open(directory.join(ACKS)).expect("it can be opened");
    let append = |mut acks: &File, value: u64| {
        let outcome = recorder.append(beat(value));
        let line = match &outcome {
            Ok(recorded) => format!("{} {} {value}\n", recorded.log(), recorded.seq()),
            Err(_) => format!("refused {value}\n"),
        };
        // By writev: faults are injected into write.
        let written = acks.write_vectored(&[IoSlice::new(line.as_bytes())]).expect("the acknowledgement can be noted");
        assert_eq!(written, line.len());
        outcome.is_ok()
    };
    match number(COUNT) {
        None => std::thread::scope(|scope| {
            for caller in 0..4u64 {
                let (acks, append) = (&acks, &append);
                scope.spawn(move || (0..).all(|at| append(acks, caller * 1_000_000 + at)));
            }
        }),
        Some(count) => {
            for value in 0..count {
                if !append(&acks, value) && number(GO_ON).is_none() {
                    std::process::exit(Exit::Record.code().into());
                }
            }
        }
    }
    std::process::exit(0);
}

const ACKS: &str = "acknowledged";

fn scratch(name: &str) -> PathBuf {
    let path = tree().join("target/record-faults").join(name);
    if path.exists() {
        fs::remove_dir_all(&path).expect("the old directory can be removed");
    }
    fs::create_dir_all(&path).expect("a directory can be made");
    path
}

/// The writer's command, below `wrapper` if there is one.
fn writer(directory: &Path, wrapper: &[String]) -> Command {
    let own = std::env::current_exe().expect("this test is a file");
    let mut command = match wrapper.split_first() {
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command.args(arguments).arg(own);
            command
        }
        None => Command::new(own),
    };
    command.args(["--exact", WRITER, "--nocapture"]).env(WRITE_TO, directory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What was acknowledged: by log and number, the value; and the values refused.
#[derive(Default)]
struct Told {
    acknowledged: BTreeMap<(String, u64), u64>,
    /// In the order in which the answers came: whether each was yes.
    answers: Vec<bool>,
}

fn told(directory: &Path) -> Told {
    let mut told = Told::default();
    for line in fs::read_to_string(directory.join(ACKS)).unwrap_or_default().lines() {
        let words: Vec<&str> = line.split(' ').collect();
        told.answers.push(words[0] != "refused");
        if let [log, seq, value] = words[..] {
            let number = |text: &str| text.parse().expect("it is a number");
            let before = told.acknowledged.insert((log.into(), number(seq)), number(value));
            assert_eq!(before, None, "record {seq} was acknowledged twice");
        }
    }
    told
}

/// The values on disk, by number.
fn on_disk(log: &Path) -> BTreeMap<u64, u64> {
    let mut values = BTreeMap::new();
    for file in fs::read_dir(log).expect("the log is there") {
        let bytes = fs::read(file.expect("it can be listed").path()).expect("it can be read");
        let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
        let beats = lines.filter(|line| line["event"] == "heartbeat");
        values.extend(beats.filter_map(|line| Some((line["seq"].as_u64()?, line["ext"]["journal_dropped"].as_u64()?))));
    }
    values
}

/// Every acknowledged record of `log` is on disk with its value and below a checkpoint, by the library and by the program.
fn nothing_lost(directory: &Path, log: &str, told: &Told, what: &str) -> Report {
    let path = directory.join(log);
    let report = verify(&path, &Known::default(), Signatures::All).expect("there is a log");
    assert_eq!(report.verdict, Verdict::Open, "{what}");
    let values = on_disk(&path);
    for ((_, seq), value) in told.acknowledged.iter().filter(|((of, _), _)| of == log) {
        assert_eq!(values.get(seq), Some(value), "{what}: record {seq} was acknowledged");
        assert!(*seq < report.committed, "{what}: record {seq} was acknowledged, and {} are signed", report.committed);
    }
    let program = Command::new(longhorn()).args(["log", "verify"]).arg(&path).output().expect("the program starts");
    assert_eq!(program.status.code(), Some(Exit::LogOpen.code().into()), "{what}: {}", text(&program));
    report
}

fn at_random(below: u64) -> u64 {
    let mut bytes = [0u8; 8];
    SystemRandomness.fill(&mut bytes);
    u64::from_le_bytes(bytes) % below
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was acknowledged is part of the result")]
fn a_writer_killed_at_any_moment_has_lost_nothing_that_it_acknowledged() {
    let directory = scratch("killed");
    let rounds = if long() { 300 } else { 30 };
    let mut before: Option<(String, u64)> = None;
    let mut total = 0;
    for round in 0..rounds {
        let _ = fs::remove_file(directory.join(ACKS));
        let mut child = writer(&directory, &[]).spawn().expect("the writer starts");
        let mut waited = 0;
        while fs::metadata(directory.join(ACKS)).map_or(0, |meta| meta.len()) == 0 {
            waited += 1;
            assert!(waited < 5000, "round {round}: the writer acknowledges nothing");
            std::thread::sleep(Duration::from_millis(2));
        }
        let pause = at_random(120_000);
        std::thread::sleep(Duration::from_micros(pause));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        let told = told(&directory);
        let what = format!("round {round}, killed after {pause} us");
        let (log, _) = told.acknowledged.keys().next_back().expect("something was acknowledged").clone();
        let report = nothing_lost(&directory, &log, &told, &what);
        total += told.acknowledged.len();
        // This writer's first record says what it found of the one before.
        let segment = directory.join(&log).join(format!("seg-{:020}.jsonl", 0));
        let bytes = fs::read(&segment).expect("the log has a first segment");
        let line = bytes.split(|byte| *byte == b'\n').next().expect("it has a line");
        let started: serde_json::Value = serde_json::from_slice(line).expect("the first record is JSON");
        let prior = &started["ext"]["prior"];
        let found = prior["log"].as_str().map(|log| (log.to_owned(), prior["size"].as_u64().unwrap_or_default()));
        assert_eq!(found, before, "{what}: {prior}");
        // A kill seldom tears a write; a power cut does. The torn end is left out, and what was signed stays.
        if round % 2 == 0 {
            let mut segments: Vec<PathBuf> =
                fs::read_dir(directory.join(&log)).expect("the log is there").flatten().map(|file| file.path()).collect();
            segments.sort();
            let last = segments.last().expect("it has a segment");
            let torn = &line[..1 + usize::try_from(at_random(line.len() as u64 - 1)).expect("a line is short")];
            OpenOptions::new().append(true).open(last).expect("it can be opened").write_all(torn).expect("it can be written");
            let after = nothing_lost(&directory, &log, &told, &what);
            assert_eq!(after.committed, report.committed, "{what}, torn");
            assert_eq!(after.unsigned_tail, report.unsigned_tail + torn.len() as u64, "{what}, torn");
        }
        before = Some((log, report.committed));
    }
    println!("{total} records were acknowledged in {rounds} rounds, none was lost");
}

/// Runs the writer of `count` records below strace with these injections.
fn injected(name: &str, injections: &[&str], count: u64, go_on: bool) -> (PathBuf, ExitStatus, Told) {
    let directory = scratch(name);
    let calls: Vec<&str> = injections.iter().filter_map(|injection| injection.split(':').next()).collect();
    let mut strace: Vec<String> = ["strace", "-f", "-qq", "-o", "/dev/null"].map(str::to_owned).to_vec();
    // What is not traced is not injected either.
    strace.extend(["-e".into(), format!("trace={}", calls.join(","))]);
    strace.extend(injections.iter().flat_map(|injection| ["-e".to_owned(), format!("inject={injection}")]));
    let mut command = writer(&directory, &strace);
    command.env(COUNT, count.to_string());
    if go_on {
        command.env(GO_ON, "1");
    }
    let status = command.status().expect("strace starts: `cargo xtask test` installs it");
    let told = told(&directory);
    (directory, status, told)
}

// strace counts each thread's calls by themselves: the first record is the caller's, all others are the writer's.

#[test]
fn after_a_lasting_fault_nobody_is_acknowledged_and_the_writer_ends_with_its_own_code() {
    let rows = [
        ("fdatasync:error=EIO:when=5+", 4),
        ("fdatasync:error=ENOSPC:when=1+", 0),
        ("write:error=ENOSPC:when=9+", 8),
        ("write:error=EIO:when=3+", 2),
        ("write:error=EDQUOT:when=3+", 2),
    ];
    for (at, (injection, good)) in rows.into_iter().enumerate() {
        let (directory, status, told) = injected(&format!("lasting-{at}"), &[injection], 20, false);
        if told.answers.is_empty() {
            // The very first record failed: then there is no log to speak of.
            assert_eq!((good, status.code()), (0, Some(Exit::Record.code().into())), "{injection}");
            continue;
        }
        assert_eq!(status.code(), Some(Exit::Record.code().into()), "{injection}");
        assert_eq!(told.acknowledged.len(), good, "{injection}");
        assert_eq!(told.answers, [vec![true; good], vec![false]].concat(), "{injection}");
        let report = nothing_lost(&directory, "log", &told, injection);
        assert_eq!(report.committed, good as u64 + 1, "{injection}: nothing unacknowledged is signed");
    }
}

#[test]
fn a_single_fault_goes_to_a_new_segment_and_never_back_to_the_descriptor_that_failed() {
    for (at, injection) in ["fdatasync:error=EIO:when=5", "write:error=ENOSPC:when=5"].into_iter().enumerate() {
        let (directory, status, told) = injected(&format!("single-{at}"), &[injection], 20, false);
        assert_eq!((status.code(), told.acknowledged.len()), (Some(0), 20), "{injection}");
        let report = nothing_lost(&directory, "log", &told, injection);
        assert_eq!((report.committed, report.gaps, report.unsigned_tail), (21, 0, 0), "{injection}");
        let mut segments: Vec<String> = fs::read_dir(directory.join("log"))
            .expect("the log is there")
            .flatten()
            .map(|file| file.file_name().to_string_lossy().into_owned())
            .collect();
        segments.sort();
        assert_eq!(segments, [format!("seg-{:020}.jsonl", 0), format!("seg-{:020}.jsonl", 5)], "{injection}");
    }
    let (directory, status, told) = injected("interrupted", &["write:error=EINTR:when=5"], 20, false);
    assert_eq!((status.code(), told.acknowledged.len()), (Some(0), 20), "an interrupted write is repeated");
    assert_eq!(nothing_lost(&directory, "log", &told, "EINTR").committed, 21);
}

#[test]
fn a_disk_that_fails_for_a_while_loses_nothing_acknowledged_and_the_log_admits_the_gap() {
    for (at, injections) in [
        &["fdatasync:error=EIO:when=5..9"][..],
        &["write:error=ENOSPC:when=5..9"],
        // The new segment fails too, and the one after it cannot be made durable as a name.
        &["fdatasync:error=EIO:when=5..6", "fsync:error=EIO:when=4"],
    ]
    .into_iter()
    .enumerate()
    {
        let what = injections.join(" ");
        let (directory, status, told) = injected(&format!("a-while-{at}"), injections, 20, true);
        assert_eq!(status.code(), Some(0), "{what}");
        let refused = told.answers.iter().filter(|answer| !**answer).count();
        assert!(refused > 0 && told.acknowledged.len() == 20 - refused, "{what}: {refused} were refused");
        assert!(told.answers.last() == Some(&true), "{what}: it does not come back");
        let report = nothing_lost(&directory, "log", &told, &what);
        assert_eq!(report.gaps, 1, "{what}");
    }
}

#[test]
fn a_batch_that_can_be_neither_made_durable_nor_cut_away_ends_the_log_and_never_forks_it() {
    let injections = ["fdatasync:error=EIO:when=5", "ftruncate:error=EIO:when=1"];
    let (directory, status, told) = injected("fork", &injections, 20, true);
    assert_eq!(status.code(), Some(0));
    assert_eq!(told.answers, [vec![true; 4], vec![false; 16]].concat(), "nobody is told yes any more");
    nothing_lost(&directory, "log", &told, "what may be on disk twice");
}

#[test]
fn a_writer_killed_inside_a_write_or_a_sync_has_lost_nothing_that_it_acknowledged() {
    for call in ["write", "fdatasync"] {
        for when in 1..=6 {
            let injection = format!("{call}:signal=KILL:when={when}");
            let (directory, status, told) = injected(&format!("at-{call}-{when}"), &[&injection], 20, false);
            assert!(!status.success(), "{injection}");
            if told.answers.is_empty() {
                continue;
            }
            assert_eq!(told.acknowledged.len(), when - 1, "{injection}");
            nothing_lost(&directory, "log", &told, &injection);
        }
    }
}
