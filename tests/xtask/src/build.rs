//! The static release binary, in two stages: the small launcher, then the agent that embeds it. The same source and the same
//! tools give the same bytes, wherever the source, cargo's home and the build lie.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::setup;
use crate::shell::{Outcome, root, run, step};
use crate::zig::Zig;

/// The musl target of this machine.
pub fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// Builds for this machine; returns where the binary lies.
pub fn binary() -> Outcome<PathBuf> {
    binary_for(&target())
}

/// Builds for `target`; returns where the binary lies.
pub fn binary_for(target: &str) -> Outcome<PathBuf> {
    setup::for_build(target)?;
    let zig = if target == self::target() { None } else { Some(Zig::install()?) };
    // Its sources have to be there before it is known where they lie.
    let mut fetch = Command::new("cargo");
    step("sources", || run(fetch.args(["fetch", "--quiet", "--locked", "--target", target])))?;
    let mut flags = remapped()?;
    if zig.is_some() {
        flags.extend(Zig::flags());
    }
    let directory = root().join("target").join(target);
    std::fs::create_dir_all(&directory)?;
    let (release, launcher) = (directory.join("release"), directory.join("longhorn-launch"));
    let stage = |name: &str| {
        let mut command = Command::new("cargo");
        command.arg(if zig.is_some() { "zigbuild" } else { "build" });
        zig.as_ref().map_or(Ok(()), |zig| zig.prepare(&mut command))?;
        command.args(["--quiet", "--locked", "--release", "--target", target, "--bin", name]);
        // Over whatever flags the caller's environment has; those of build scripts stay as they are.
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")).env("LONGHORN_LAUNCHER", &launcher);
        // Nothing of ours tells a date; a tool that would, tells this one.
        command.env("SOURCE_DATE_EPOCH", "0");
        run(&mut command)
    };
    step("the launcher", || stage("longhorn-launch"))?;
    // A copy that is replaced only when it differs: the second stage is then not built again for nothing.
    let built = std::fs::read(release.join("longhorn-launch"))?;
    if std::fs::read(&launcher).ok().as_deref() != Some(&built) {
        std::fs::write(&launcher, &built)?;
    }
    step("the binary", || stage("longhorn"))?;
    let binary = release.join("longhorn");
    eprintln!("xtask: {} is {} bytes", binary.display(), std::fs::metadata(&binary)?.len());
    Ok(binary)
}

/// Flags by which the compiler names no place of this machine. A registry's directory has a name of its own on each.
pub fn remapped() -> Outcome<Vec<String>> {
    let rename = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => PathBuf::from(std::env::var_os("HOME").ok_or("neither CARGO_HOME nor HOME is set")?).join(".cargo"),
    };
    let mut flags = vec![rename(&root(), "longhorn")];
    for registry in std::fs::read_dir(home.join("registry/src"))? {
        flags.push(rename(&registry?.path(), "registry"));
    }
    Ok(flags)
}

/// The simulator, for demo and tests.
pub fn simulator() -> Outcome<PathBuf> {
    step("the simulator", || run(Command::new("cargo").args(["build", "--quiet", "--workspace", "--bin", "simulator"])))?;
    Ok(root().join("target/debug/simulator"))
}
