//! What libFuzzer calls: the target that `LONGHORN_FUZZ_TARGET` names. With `LONGHORN_FUZZ_SEEDS` it writes every target's seeds
//! into that directory instead, and ends. `cargo xtask fuzz` runs it.
#![no_main]

use std::cell::OnceCell;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use targets::{LONGEST, TARGETS, Take, Target};

#[path = "../targets/mod.rs"]
mod targets;
#[path = "../../support/way.rs"]
mod way;

#[path = "../../support"]
mod support {
    pub mod document;
    pub mod evidence;
    pub mod log;
    pub mod saml;
}

/// CPU time that an answer may take here: ten times what `tests/parsers.rs` grants. With sanitizer, coverage and value profile the
/// worst shapes take eight to nine times as long as in the build that tests run.
const LIMIT: Duration = Duration::from_secs(1);

thread_local! {
    static TAKE: OnceCell<Take> = const { OnceCell::new() };
}

fn target() -> &'static Target {
    let name = std::env::var("LONGHORN_FUZZ_TARGET").expect("LONGHORN_FUZZ_TARGET names a target");
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("no target {name}"))
}

fn write_seeds(directory: &Path) {
    for target in TARGETS {
        let place = directory.join(target.name);
        std::fs::create_dir_all(&place).expect("a directory can be made");
        let all = (target.seeds)().into_iter().map(|seed| ("seed", seed));
        for (at, (kind, bytes)) in all.chain((target.worst)().into_iter().map(|shape| ("worst", shape))).enumerate() {
            std::fs::write(place.join(format!("{kind}-{at:04}")), bytes).expect("a seed can be written");
        }
        println!("{}", target.name);
    }
}

libfuzzer_sys::fuzz_target!(
    init: {
        if let Some(directory) = std::env::var_os("LONGHORN_FUZZ_SEEDS") {
            write_seeds(directory.as_ref());
            std::process::exit(0);
        }
        // Keys are drawn before the time of the first input counts.
        TAKE.with(|take| _ = take.get_or_init(|| (target().make)()));
    },
    |data: &[u8]| {
        let before = LONGEST.load(Ordering::Relaxed);
        TAKE.with(|take| take.get_or_init(|| (target().make)())(data));
        let longest = LONGEST.load(Ordering::Relaxed);
        if longest > before + before / 8 {
            eprintln!("LONGEST {} microseconds for {} bytes", longest / 1000, data.len());
        }
    }
);
