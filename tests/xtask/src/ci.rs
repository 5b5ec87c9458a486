//! What stands after the tests: format, lints, licences, bans and sources of dependencies.

use std::process::Command;

use crate::setup;
use crate::shell::{self, Outcome, quietly, step};

/// Runs all of it.
pub fn run() -> Outcome<()> {
    step("cargo fmt --check", || shell::run(Command::new("cargo").args(["fmt", "--all", "--check"])))?;
    step("cargo clippy", || {
        shell::run(Command::new("cargo").args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    let deny = setup::deny()?;
    step("cargo deny: bans, licences, sources", || {
        shell::run(Command::new(&deny).args(["check", "bans", "licenses", "sources"]))
    })?;
    // The advisory database comes from the network; without it there is nothing to compare with.
    match step("cargo deny: advisories", || quietly(Command::new(&deny).args(["check", "advisories"]))) {
        Err(error) if error.to_string().contains("advisory database") => {
            println!("SKIP cargo deny advisories: the advisory database cannot be fetched from here");
            Ok(())
        }
        other => other.map(drop),
    }
}
