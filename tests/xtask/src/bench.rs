//! Figures of the binary that ships, each against its budget.

use std::process::Command;

use crate::shell::{self, Outcome};
use crate::{build, setup};

/// Runs every bench; fails when one misses its budget, after all have run.
pub fn run() -> Outcome<()> {
    setup::for_benches()?;
    let binary = build::binary()?;
    let simulator = build::simulator()?;
    let one = |name: &str| {
        let mut command = Command::new("cargo");
        command.args(["bench", "--quiet", "--bench", name]).env("LONGHORN_BIN", &binary).env("LONGHORN_SIMULATOR", &simulator);
        shell::run(&mut command)
    };
    let outcomes = ["launch", "record", "spark"].map(one);
    outcomes.into_iter().collect()
}
