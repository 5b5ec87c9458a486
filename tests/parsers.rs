//! Every parser of bytes from outside answers, whatever they are: what the fixtures describe, the same cut and changed, and the
//! shapes that cost naive parsers most. `cargo xtask fuzz` goes on from here by chance.

use std::sync::atomic::Ordering;
use std::time::Duration;

use targets::{LONGEST, MOST, TARGETS};

#[path = "fuzz/targets/mod.rs"]
mod targets;
#[path = "support/way.rs"]
mod way;

mod support {
    #[path = "../support/document.rs"]
    pub mod document;
    #[path = "../support/evidence.rs"]
    pub mod evidence;
    #[path = "../support/log.rs"]
    pub mod log;
    #[path = "../support/saml.rs"]
    pub mod saml;
}

/// CPU time that an answer may take: 50 ms, and twice that in builds with assertions, which are slower by more than that.
const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 50 });

/// Gives a target one input; what panics aborts, and this says on what.
struct Told<'a>(&'a str, &'a [u8]);

impl Drop for Told<'_> {
    #[expect(clippy::print_stderr, reason = "a test says which bytes it fails on")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {}", self.0, self.1.escape_ascii());
        }
    }
}

#[test]
fn every_seed_and_each_of_its_halves_is_answered_in_time() {
    for target in TARGETS {
        let take = (target.make)();
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has nothing to start from", target.name);
        for seed in seeds {
            assert!(seed.len() <= MOST, "{}: a seed of {} bytes", target.name, seed.len());
            for bytes in [&seed[..], &seed[..seed.len() / 2], &seed[seed.len() / 2..]] {
                let _told = Told(target.name, bytes);
                take(bytes);
            }
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "figures are worth reading")]
fn the_worst_shapes_of_64_kib_are_answered_in_time() {
    for target in TARGETS {
        let take = (target.make)();
        LONGEST.store(0, Ordering::Relaxed);
        for bytes in (target.worst)() {
            assert!(bytes.len() <= MOST, "{}: {} bytes", target.name, bytes.len());
            let _told = Told(target.name, &bytes[..80.min(bytes.len())]);
            take(&bytes);
        }
        let longest = LONGEST.load(Ordering::Relaxed);
        println!("{}: at most {} of {} microseconds", target.name, longest / 1000, LIMIT.as_micros());
        assert!(longest > 0, "{} has no shape that costs", target.name);
    }
}
