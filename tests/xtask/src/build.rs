//! The static release binary, in two stages: the small launcher, then the agent that embeds it.

use std::path::PathBuf;
use std::process::Command;

use crate::setup;
use crate::shell::{Outcome, root, run, step};

/// The musl target of this machine.
pub fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// Builds; returns where the binary lies.
pub fn binary() -> Outcome<PathBuf> {
    setup::for_build(&target())?;
    std::fs::create_dir_all(root().join("target"))?;
    let release = root().join("target").join(target()).join("release");
    let launcher = root().join("target/longhorn-launch");
    step("the launcher", || run(stage("longhorn-launch").env("LONGHORN_LAUNCHER", &launcher)))?;
    // A copy that is replaced only when it differs: the second stage is then not built again for nothing.
    let built = std::fs::read(release.join("longhorn-launch"))?;
    if std::fs::read(&launcher).ok().as_deref() != Some(&built) {
        std::fs::write(&launcher, &built)?;
    }
    step("the binary", || run(stage("longhorn").env("LONGHORN_LAUNCHER", &launcher)))?;
    let binary = release.join("longhorn");
    eprintln!("xtask: {} is {} bytes", binary.display(), std::fs::metadata(&binary)?.len());
    Ok(binary)
}

/// The simulator, for demo and tests.
pub fn simulator() -> Outcome<PathBuf> {
    step("the simulator", || run(Command::new("cargo").args(["build", "--quiet", "--package", "simulator"])))?;
    Ok(root().join("target/debug/simulator"))
}

fn stage(name: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(["build", "--quiet", "--release", "--target", &target(), "--bin", name]);
    command
}
