//! Figures of the binary that ships, each against its budget.

use std::process::Command;

use crate::shell::{self, Outcome, root};
use crate::{build, setup};

/// Runs every bench; fails when one misses its budget, after all have run.
pub fn run() -> Outcome<()> {
    setup::for_benches()?;
    // A copy: cargo builds the bench of the library into the same directory, with a binary of its own that has no launcher in it.
    let binary = root().join("target/bench/longhorn");
    std::fs::create_dir_all(binary.with_file_name(""))?;
    std::fs::copy(build::binary()?, &binary)?;
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
    let outcomes = ["identity", "launch", "gateway", "record", "spark"].map(one);
    outcomes.into_iter().collect()
}
