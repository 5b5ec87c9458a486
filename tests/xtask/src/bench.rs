//! Figures of the binary that ships, each against its budget.

use std::process::Command;

use crate::shell::{self, Outcome};
use crate::{build, setup};

/// Runs every bench; fails when one misses its budget, after all have run.
pub fn run() -> Outcome<()> {
    setup::for_benches()?;
    let binary = build::binary()?;
    let simulator = build::simulator()?;
    let flags = build::remapped()?.join("\u{1f}");
    let one = |name: &str| {
        let mut command = Command::new("cargo");
        command.args(["bench", "--quiet", "--bench", name]);
        if name == "identity" {
            // It measures the library in its own process, which has to be as the binary is: its flags, the allocator of musl.
            command.args(["--target", &build::target()]).env("CARGO_ENCODED_RUSTFLAGS", &flags);
        }
        command.env("LONGHORN_BIN", &binary).env("LONGHORN_SIMULATOR", &simulator);
        shell::run(&mut command)
    };
    let outcomes = ["identity", "launch", "record", "spark"].map(one);
    outcomes.into_iter().collect()
}
