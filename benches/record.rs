//! The record: group commit against one fdatasync per record, verification against plain SHA-256 of the same bytes.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "figures are printed, and taken in real time")]

mod budget;
#[path = "../tests/support/log.rs"]
mod log;
#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{beat, start};
use longhorn::host::clock::SystemClock;
use longhorn::host::random::SystemRandomness;
use longhorn::record::{Event, Recorder};
use support::{longhorn, text};

const CALLERS: usize = 64;
/// Records of the log that is verified.
const RECORDS: u64 = 1_000_000;

fn main() {
    budget::of_the_binary_that_ships();
    let commit = group_commit();
    let verified = verification();
    budget::compare([("record-group-commit", commit), ("record-verify-to-sha256", verified)].into_iter());
}

fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench").join(name);
    if path.exists() {
        fs::remove_dir_all(&path).expect("the old directory can be removed");
    }
    fs::create_dir_all(&path).expect("a directory can be made");
    path
}

fn create(directory: &Path) -> Recorder {
    Recorder::create(directory, start(None), Arc::new(SystemClock), Arc::new(SystemRandomness)).expect("a log starts")
}

/// Interleaved rounds of both, on one file system; the ratio of the acknowledged records per second.
fn group_commit() -> f64 {
    let directory = scratch("commit");
    let recorder = create(&directory);
    let mut plain = File::create(directory.join("plain")).expect("a file can be made");
    // As long as a heartbeat's line.
    let line = vec![b'x'; 600];
    let (mut single, mut grouped) = ((0u64, Duration::ZERO), (0u64, Duration::ZERO));
    for _ in 0..8 {
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(500) {
            plain.write_all(&line).and_then(|()| plain.sync_data()).expect("the disk works");
            single.0 += 1;
        }
        single.1 += began.elapsed();
        let began = Instant::now();
        let until = began + Duration::from_millis(500);
        grouped.0 += std::thread::scope(|scope| {
            let callers: Vec<_> = (0..CALLERS)
                .map(|_| {
                    scope.spawn(|| {
                        let mut acknowledged = 0;
                        while Instant::now() < until {
                            let _ = recorder.append(beat(acknowledged)).expect("it is durable");
                            acknowledged += 1;
                        }
                        acknowledged
                    })
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().expect("a caller ends")).sum::<u64>()
        });
        grouped.1 += began.elapsed();
    }
    let rate = |(count, took): (u64, Duration)| count as f64 / took.as_secs_f64();
    println!("single {:.0}/s, {CALLERS} callers {:.0}/s", rate(single), rate(grouped));
    rate(grouped) / rate(single)
}

/// The binary that ships verifies, and this process hashes, in turn; the ratio of the medians. Both use every core, and read
/// files that are in the page cache.
fn verification() -> f64 {
    let directory = scratch("verify");
    let recorder = create(&directory);
    std::thread::scope(|scope| {
        for caller in 0..CALLERS as u64 {
            let recorder = &recorder;
            scope.spawn(move || {
                for at in 0..RECORDS / CALLERS as u64 {
                    let _ = recorder.append(beat(caller + at)).expect("it is durable");
                }
            });
        }
    });
    let _ = recorder.append(Event::Sealed).expect("it is durable");
    let log = directory.join(recorder.log());
    let mut segments: Vec<PathBuf> =
        fs::read_dir(&log).expect("the log is there").map(|file| file.expect("it lists").path()).collect();
    segments.sort();
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let hash = |segment: &PathBuf| {
        black_box(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &fs::read(segment).expect("it can be read")));
    };
    let (mut verifying, mut hashing) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let began = Instant::now();
        let output = Command::new(longhorn()).args(["log", "verify"]).arg(&log).output().expect("the binary runs");
        verifying.push(began.elapsed());
        assert!(text(&output).contains("UNANCHORED"), "{}", text(&output));
        let began = Instant::now();
        std::thread::scope(|scope| {
            for core in 0..cores {
                let own = segments.iter().skip(core).step_by(cores);
                scope.spawn(move || own.for_each(hash));
            }
        });
        hashing.push(began.elapsed());
    }
    verifying.sort();
    hashing.sort();
    let (verifying, hashing) = (verifying[2], hashing[2]);
    println!("verify {verifying:?}, SHA-256 {hashing:?}, both on {cores} cores");
    verifying.as_secs_f64() / hashing.as_secs_f64()
}
