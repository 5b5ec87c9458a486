//! Promises of the record, from outside: what was acknowledged survives, and what was tampered with is found.

#[path = "support/log.rs"]
mod log;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use log::{beat, start};
use longhorn::exit::Exit;
use longhorn::host::clock::SystemClock;
use longhorn::host::random::SystemRandomness;
use longhorn::record::checkpoint::parse;
use longhorn::record::disk::{Disk, Segment};
use longhorn::record::verify::{Anchor, Known, Report, Signatures, Verdict, verify};
use longhorn::record::{Event, Recorder};

fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/record-tests").join(name);
    if path.exists() {
        fs::remove_dir_all(&path).expect("the old directory can be removed");
    }
    fs::create_dir_all(&path).expect("a directory can be made");
    path
}

/// A log of `records` heartbeats, sealed or not; returns its only segment.
fn honest(name: &str, records: u64, sealed: bool) -> PathBuf {
    let directory = scratch(name);
    let recorder =
        Recorder::create(&directory, start(None), Arc::new(SystemClock), Arc::new(SystemRandomness)).expect("a log starts");
    for at in 0..records {
        let recorded = recorder.append(beat(at)).expect("it is durable");
        // A new key now and then is a record too.
        assert!(recorded.seq() > at);
    }
    if sealed {
        let _ = recorder.append(Event::Sealed).expect("it is durable");
    }
    let log = directory.join(recorder.log());
    fs::read_dir(&log).expect("the log is there").next().expect("it has a segment").expect("it can be listed").path()
}

fn judge(segment: &Path) -> Report {
    verify(segment.parent().expect("a segment lies in a log"), &Known::default(), Signatures::All).expect("there is a log")
}

#[test]
fn a_log_is_open_until_it_is_sealed_and_unanchored_until_somebody_outside_vouches() {
    let open = honest("open", 5, false);
    assert_eq!(judge(&open).verdict, Verdict::Open);
    let sealed = honest("sealed", 5, true);
    let report = judge(&sealed);
    assert_eq!((report.verdict.clone(), report.leaves, report.committed, report.unsigned_tail), (Verdict::Unanchored, 7, 7, 0));
    let text = fs::read_to_string(&sealed).expect("it is text");
    let note = text.lines().find(|line| line.starts_with("{\"checkpoint\"")).expect("it has a checkpoint");
    let note: serde_json::Value = serde_json::from_str(note).expect("it is JSON");
    let (known, _) = parse(note["checkpoint"].as_str().expect("a note is text")).expect("it is a checkpoint");
    let directory = sealed.parent().expect("a segment lies in a log");
    let anchored = verify(directory, &Known { anchors: &[Anchor::Checkpoint(known.clone())], erased: &[] }, Signatures::All)
        .expect("there is a log");
    assert_eq!((anchored.verdict.clone(), anchored.verdict.exit()), (Verdict::Sealed, Exit::Ok));
    let mut other = known;
    other.root[0] ^= 1;
    let diverged = verify(directory, &Known { anchors: &[Anchor::Checkpoint(other)], erased: &[] }, Signatures::All)
        .expect("there is a log");
    assert_eq!(diverged.verdict.exit(), Exit::LogDiverged);
}

#[test]
fn every_tampering_inside_is_invalid_and_the_first_bad_line_is_named() {
    let segment = honest("tampered", 6, true);
    let text = fs::read_to_string(&segment).expect("it is text");
    let lines: Vec<&str> = text.lines().collect();
    let leaf = lines.iter().position(|line| line.contains("\"seq\":3,")).expect("record 3 is there");
    let without =
        |at: usize| lines.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, line)| *line).collect::<Vec<_>>();
    let mut swapped = lines.clone();
    swapped.swap(leaf, leaf + 2);
    let mut repeated = lines.clone();
    repeated.insert(leaf, lines[leaf]);
    let edited = lines[leaf].replace("\"journal_dropped\":2", "\"journal_dropped\":9");
    let mut changed = lines.clone();
    changed[leaf] = &edited;
    let unknown = lines[leaf].replace("\"ext\":", "\"argv\":\"x\",\"ext\":");
    let mut widened = lines.clone();
    widened[leaf] = &unknown;
    let rows = [
        ("deleted", without(leaf), "missing"),
        ("swapped", swapped, "missing"),
        ("repeated", repeated, "reordered or repeated"),
        ("edited", changed, "another root: one of them was edited"),
        ("widened", widened, "not a record"),
    ];
    for (name, lines, what) in rows {
        fs::write(&segment, lines.join("\n") + "\n").expect("it can be written");
        match judge(&segment).verdict {
            Verdict::Invalid(fault) => assert!(fault.what.contains(what) && fault.line > leaf, "{name}: {fault:?}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn only_the_last_segment_may_end_within_a_line() {
    let segment = honest("torn-middle", 6, true);
    let text = fs::read_to_string(&segment).expect("it is text");
    let lines: Vec<&str> = text.lines().collect();
    let end = 1 + lines.iter().position(|line| line.starts_with("{\"checkpoint\"")).expect("there is a checkpoint");
    let next = segment.with_file_name(format!("seg-{:020}.jsonl", end - 1));
    fs::write(&next, lines[end..].join("\n") + "\n").expect("it can be written");
    let first = lines[..end].join("\n") + "\n";
    for (tail, verdict) in [("", "UNANCHORED"), ("{\"seq\":4,\"event\":\"decision.granted\"}", "INVALID")] {
        fs::write(&segment, format!("{first}{tail}")).expect("it can be written");
        assert_eq!(judge(&segment).verdict.word(), verdict, "{tail}");
    }
}

#[test]
fn every_flipped_bit_of_a_log_is_found() {
    let segment = honest("flipped", 2, true);
    let bytes = fs::read(&segment).expect("it can be read");
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        fs::write(&segment, &flipped).expect("it can be written");
        let verdict = judge(&segment).verdict;
        // The last line feed alone: what stands before it then counts as torn, and the log as open.
        let torn = at == bytes.len() - 1 && verdict == Verdict::Open;
        assert!(torn || matches!(verdict, Verdict::Invalid(_)), "byte {at} {:?}: {verdict:?}", bytes[at] as char);
    }
}

#[test]
fn a_tail_that_was_cut_anywhere_is_never_called_complete() {
    let segment = honest("cut", 3, true);
    let bytes = fs::read(&segment).expect("it can be read");
    let first = bytes.iter().position(|byte| *byte == b'\n').expect("it has a line");
    for length in 0..bytes.len() {
        fs::write(&segment, &bytes[..length]).expect("it can be written");
        if length <= first {
            let nothing = verify(&segment, &Known::default(), Signatures::All).expect_err("no record is left");
            assert_eq!(nothing.kind(), io::ErrorKind::NotFound, "cut at {length}");
            continue;
        }
        let report = judge(&segment);
        assert_eq!(report.verdict, Verdict::Open, "cut at {length}");
        assert!(report.leaves < 5 || report.unsigned_tail > 0, "cut at {length}");
    }
}

/// A disk that stops after a number of bytes, for a number of writes.
struct Failing {
    budget: Arc<AtomicUsize>,
    written: Arc<Mutex<Vec<Vec<u8>>>>,
}

struct FailingSegment {
    budget: Arc<AtomicUsize>,
    written: Arc<Mutex<Vec<Vec<u8>>>>,
    index: usize,
}

impl Disk for Failing {
    fn segment(&mut self, _first: u64) -> io::Result<Box<dyn Segment>> {
        let mut written = self.written.lock().expect("nobody panics while holding it");
        written.push(Vec::new());
        Ok(Box::new(FailingSegment { budget: self.budget.clone(), written: self.written.clone(), index: written.len() - 1 }))
    }
}

impl Segment for FailingSegment {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let left = self.budget.load(Ordering::SeqCst);
        let fits = bytes.len().min(left);
        self.budget.fetch_sub(fits, Ordering::SeqCst);
        self.written.lock().expect("nobody panics while holding it")[self.index].extend_from_slice(&bytes[..fits]);
        if fits == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn cut(&mut self, length: usize) -> io::Result<()> {
        self.written.lock().expect("nobody panics while holding it")[self.index].truncate(length);
        Ok(())
    }
}

#[test]
fn a_disk_that_fills_up_at_any_byte_loses_nothing_acknowledged_and_admits_the_gap() {
    for budget in (2_000..9_000).step_by(97) {
        let (left, written) = (Arc::new(AtomicUsize::new(budget)), Arc::new(Mutex::new(Vec::new())));
        let disk = Failing { budget: left.clone(), written: written.clone() };
        let recorder =
            Recorder::on(Box::new(disk), "0190-log".into(), start(None), Arc::new(SystemClock), Arc::new(SystemRandomness))
                .expect("it starts");
        let acknowledged: Vec<u64> =
            (0..8).filter_map(|at| recorder.append(beat(at)).ok()).map(|recorded| recorded.seq()).collect();
        left.store(usize::MAX / 2, Ordering::SeqCst);
        let last = recorder.append(beat(99)).expect("there is room again").seq();
        let refused = 8 - acknowledged.len();
        let directory = scratch(&format!("full-{budget}"));
        let mut first = 0u64;
        for bytes in written.lock().expect("nobody panics while holding it").iter().filter(|bytes| !bytes.is_empty()) {
            fs::write(directory.join(format!("seg-{first:020}.jsonl")), bytes).expect("it can be written");
            first += bytes.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{\"prev\"")).count() as u64;
        }
        let report = verify(&directory, &Known::default(), Signatures::All).expect("there is a log");
        assert_eq!(report.verdict, Verdict::Open, "budget {budget}");
        assert_eq!((report.committed, report.gaps), (last + 1, u64::from(refused > 0)), "budget {budget}");
        assert!(acknowledged.iter().all(|seq| *seq < report.committed), "budget {budget}");
    }
}

#[test]
fn many_callers_share_checkpoints_and_every_record_is_in_its_place() {
    let directory = scratch("many");
    let recorder =
        Recorder::create(&directory, start(None), Arc::new(SystemClock), Arc::new(SystemRandomness)).expect("a log starts");
    let mut seqs: Vec<u64> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..16u64)
            .map(|caller| {
                let recorder = recorder.clone();
                scope.spawn(move || {
                    (0..50).map(|at| recorder.append(beat(caller * 100 + at)).expect("it is durable").seq()).collect::<Vec<_>>()
                })
            })
            .collect();
        callers.into_iter().flat_map(|caller| caller.join().expect("no caller panics")).collect()
    });
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!(seqs.len(), 800, "no two records share a number");
    let report = verify(&directory.join(recorder.log()), &Known::default(), Signatures::All).expect("there is a log");
    assert!(report.verdict == Verdict::Open && report.leaves >= 801 && report.epochs >= 1, "{report:?}");
    assert!(report.checkpoints < 801, "callers that wait together share a checkpoint: {}", report.checkpoints);
}

/// An honest sealed log, cut anew into many files: each one's name and lines.
fn many_files(name: &str) -> Vec<(PathBuf, Vec<String>)> {
    let segment = honest(name, 2_000, true);
    let text = fs::read_to_string(&segment).expect("it is text");
    fs::remove_file(&segment).expect("it can be removed");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut first = 0;
    let file = |lines: &[String]| {
        let file = segment.with_file_name(format!("seg-{first:020}.jsonl"));
        first += lines.iter().filter(|line| line.starts_with("{\"prev\"")).count();
        (file, lines.to_vec())
    };
    lines.chunks(101).map(file).collect()
}

fn write_all(files: &[(PathBuf, Vec<String>)]) {
    for (file, lines) in files {
        fs::write(file, lines.join("\n") + "\n").expect("it can be written");
    }
}

#[test]
fn whoever_finds_it_first_the_fault_is_the_first_bad_line_of_the_log() {
    let files = many_files("many-files");
    write_all(&files);
    let report = judge(&files[0].0);
    assert_eq!((report.verdict, report.unsigned_tail), (Verdict::Unanchored, 0));
    for (at, (file, lines)) in files.iter().enumerate() {
        let mut damaged = files.clone();
        // This is found sooner: nothing else need be read of these files.
        for (_, behind) in damaged.iter_mut().skip(at + 1) {
            behind[0] = "{}".into();
        }
        let line = 1 + at * 7 % (lines.len() - 1);
        damaged[at].1[line] = match at % 3 {
            0 => "{".into(),
            1 if lines[line].starts_with("{\"checkpoint\"") => lines[line].replace("\\n\\n", "\\n"),
            1 => lines[line].replace("\"prev\":\"", "\"prev\":\"0"),
            _ => lines[line].replace("longhorn", "elsewhere").replace("\"log\":\"", "\"log\":\"0"),
        };
        write_all(&damaged);
        match judge(file).verdict {
            Verdict::Invalid(fault) => assert_eq!((&fault.file, fault.line), (file, line + 1), "{fault:?}"),
            other => panic!("file {at}: {other:?}"),
        }
    }
}

#[test]
fn a_line_is_read_wherever_the_pieces_of_its_file_end() {
    let segment = honest("pieces", 1_000, true);
    let bytes = fs::read(&segment).expect("it can be read");
    assert!(bytes.len() > 5 * 128 * 1024, "it has several pieces: {}", bytes.len());
    let leaves = judge(&segment).leaves;
    // A torn line of each length moves nothing but the count of what is unsigned.
    for torn in [1, 100, 65_535, 65_536, 128 * 1024 - 1, 128 * 1024, 128 * 1024 + 1, 700_000] {
        fs::write(&segment, [&bytes[..], &vec![b'x'; torn]].concat()).expect("it can be written");
        let report = judge(&segment);
        assert_eq!((report.verdict, report.leaves, report.unsigned_tail), (Verdict::Open, leaves, torn as u64), "{torn}");
        // With a line feed it is a line, and no line is that long.
        fs::write(&segment, [&bytes[..], &vec![b'x'; torn], b"\n"].concat()).expect("it can be written");
        let what = match judge(&segment).verdict {
            Verdict::Invalid(fault) => fault.what,
            other => panic!("{torn}: {other:?}"),
        };
        let known = if torn > 65_535 {
            format!("it is {torn} bytes long; no line is longer than 65535")
        } else {
            "it is neither a record nor a checkpoint".into()
        };
        assert_eq!(what, known);
    }
}

#[test]
fn a_line_without_end_costs_time_and_no_memory() {
    let segment = honest("endless", 3, false);
    let length = 1 << 30;
    let before = fs::metadata(&segment).expect("it is there").len();
    fs::File::options().write(true).open(&segment).and_then(|file| file.set_len(length)).expect("it can be made longer");
    let report = judge(&segment);
    assert_eq!((report.verdict, report.unsigned_tail), (Verdict::Open, length - before));
    let status = fs::read_to_string("/proc/self/status").expect("it can be read");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel counts it");
    let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse().expect("it is a number");
    assert!(kibibytes < 200 * 1024, "{kibibytes} KiB");
}
