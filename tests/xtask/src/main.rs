//! `cargo xtask build | demo | test | fuzz | bench | pin | ci`: everything a person or CI does with this tree.
#![forbid(unsafe_code)]
#![expect(clippy::disallowed_methods, reason = "a tool for people: it measures real time")]

mod bench;
mod build;
mod ci;
mod demo;
mod extra;
mod fuzz;
mod pin;
mod setup;
mod shell;
mod test;
mod zig;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND
  build [--target TARGET]
                   the static release binary, for this machine or for x86_64- or aarch64-unknown-linux-musl
  demo [--real-provider]
                   a node, attested and locked, and what a hostile job then cannot do
  test [--long]    installs what the tests need, then runs every test
  fuzz [--minutes N] [TARGET…]
                   every parser of bytes from outside, or these, under libFuzzer
  bench            measures what `benches/budgets.toml` promises
  pin DIRECTORY [PLACE]  writes the digests of a bundle into its init script, and where nodes find it (/Volumes/…)
  ci               format, lints, licences and bans";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["build"] => build::binary().map(drop),
        ["build", "--target", target] => build::binary_for(target).map(drop),
        ["demo", options @ ..] => demo::run(options),
        ["test", options @ ..] => test::run(options),
        ["fuzz", options @ ..] => fuzz::fuzz(options),
        ["bench"] => bench::run(),
        ["pin", directory] => pin::pin(directory.as_ref(), None),
        ["pin", directory, place] => pin::pin(directory.as_ref(), Some(place)),
        ["ci"] => ci::run(),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
