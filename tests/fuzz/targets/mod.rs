//! Every parser of bytes from outside, each as a target: what takes the bytes, and where mutation starts from. libFuzzer drives
//! them in the package of this directory, `tests/parsers.rs` runs every seed and every worst shape through them in each CI.
//!
//! A target answers, whatever the bytes: no panic, no leak, and within [`LIMIT`], which is whoever runs them's to say, for up to [`MOST`] bytes. Where a signature
//! stands before what is parsed, a second target signs what is mutated, so that the parser behind it is reached.

#![allow(dead_code, reason = "the fuzzer and the test each use their own part")]

mod answers;
mod assertions;
mod catalog;
mod gateway;
mod issuer;
mod machines;
mod model;
mod node;
mod papers;
mod shapes;
mod tokens;
mod workspace;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use longhorn::host::clock::{Clock, SystemClock};
use longhorn::identity::Rules;
use longhorn::identity::node_document::Occasion;
use longhorn::identity::trust::Trust;
use longhorn::screen::Screen;
use nix::time::{ClockId, clock_gettime};

use crate::LIMIT;

/// Inputs are no longer than this, in bytes.
pub const MOST: usize = 64 * 1024;

/// What takes the bytes.
pub type Take = Box<dyn Fn(&[u8])>;

/// A parser, or several of one kind.
pub struct Target {
    pub name: &'static str,
    /// Keys and servers are made once.
    pub make: fn() -> Take,
    /// Bytes that are worth starting from: what `tests/fixtures` describes.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Bytes as long as may be, of the shapes that cost naive parsers most.
    pub worst: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "oidc", make: tokens::oidc, seeds: tokens::oidc_seeds, worst: tokens::oidc_worst },
    Target { name: "claims", make: tokens::claims, seeds: tokens::claims_seeds, worst: tokens::claims_worst },
    Target { name: "context", make: tokens::context, seeds: tokens::context_seeds, worst: tokens::context_worst },
    Target { name: "issuer", make: issuer::requests, seeds: issuer::seeds, worst: issuer::worst },
    Target { name: "workspace", make: workspace::answers, seeds: workspace::seeds, worst: workspace::worst },
    Target { name: "saml", make: assertions::document, seeds: assertions::document_seeds, worst: assertions::worst },
    Target { name: "saml-signed", make: assertions::signed, seeds: assertions::signed_seeds, worst: assertions::signed_worst },
    Target { name: "metadata", make: assertions::metadata, seeds: assertions::metadata_seeds, worst: assertions::worst },
    Target { name: "pkcs7", make: machines::pkcs7, seeds: machines::pkcs7_seeds, worst: machines::pkcs7_worst },
    Target { name: "machine", make: machines::machine, seeds: machines::machine_seeds, worst: machines::machine_worst },
    Target { name: "certificate", make: machines::certificate, seeds: machines::certificate_seeds, worst: machines::worst },
    Target { name: "policy", make: papers::policy, seeds: papers::policy_seeds, worst: papers::worst },
    Target { name: "settings", make: papers::settings, seeds: papers::settings_seeds, worst: papers::worst },
    Target { name: "learn", make: papers::learn, seeds: papers::learn_seeds, worst: papers::learn_worst },
    Target { name: "record", make: node::record, seeds: node::record_seeds, worst: node::record_worst },
    Target { name: "sealed", make: node::sealed, seeds: node::sealed_seeds, worst: node::sealed_worst },
    Target { name: "wire", make: node::wire, seeds: node::wire_seeds, worst: node::wire_worst },
    Target { name: "answers", make: answers::answers, seeds: answers::seeds, worst: answers::worst },
    Target { name: "gateway", make: gateway::gateway, seeds: gateway::seeds, worst: gateway::worst },
    Target { name: "model", make: model::model, seeds: model::seeds, worst: model::worst },
    Target { name: "catalog", make: catalog::catalog, seeds: catalog::seeds, worst: catalog::worst },
    Target { name: "api", make: node::api, seeds: node::api_seeds, worst: node::api_worst },
];

/// The root of the tree: this is compiled into two packages of it.
pub fn tree() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    if package.ends_with("tests/fuzz") { package.join("../..") } else { package.to_owned() }
}

/// The cases of a folder of fixtures, sorted by name.
fn fixtures(folder: &str) -> Vec<String> {
    let files = std::fs::read_dir(tree().join("tests/fixtures").join(folder)).expect("the fixtures are part of the tree");
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a folder lists").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

/// The longest answer so far, in nanoseconds of CPU time.
pub static LONGEST: AtomicU64 = AtomicU64::new(0);

/// Runs what is measured. A first time may be slow for other reasons than the bytes, three times not.
fn timed<T>(length: usize, mut answer: impl FnMut() -> T) -> T {
    let mut once = || {
        let began = cpu();
        let answered = answer();
        (answered, cpu() - began)
    };
    let (mut answered, mut took) = once();
    for _ in 0..3 {
        if took <= LIMIT {
            break;
        }
        (answered, took) = once();
    }
    LONGEST.fetch_max(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    assert!(took <= LIMIT, "{length} bytes took {took:?}");
    answered
}

/// CPU time of this thread: another process does not lengthen it.
fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every thread has its clock").into()
}

/// What a person is shown of bytes from outside keeps its lines.
fn shown(screen: &Screen) {
    let text = screen.to_string();
    assert_eq!(text.lines().count(), screen.facts.len() + 2 + usize::from(!screen.hint.is_empty()), "{text:?}");
    assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
}

fn rules<'t>(trust: &'t Trust, node_key: &'t str) -> Rules<'t> {
    let period = Duration::from_secs(600);
    Rules { trust, listed: false, period, node_key, occasion: Occasion::Join, now: SystemClock.now() }
}

/// The bytes before the first of these, and behind it.
fn split(bytes: &[u8], at: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == at) {
        Some(found) => (&bytes[..found], &bytes[found + 1..]),
        None => (bytes, &[]),
    }
}

/// The first byte chooses, the rest is what is parsed.
fn choice(bytes: &[u8]) -> (u8, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (*first, rest))
}

/// A seed of a choice.
fn chosen(choice: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    [&[choice][..], bytes.as_ref()].concat()
}
