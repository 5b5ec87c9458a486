//! Installs what is missing, and only that: packages of the system, then tools into `target/`.

use std::path::PathBuf;
use std::process::Command;

use crate::shell::{Outcome, has, is_root, quietly, root, step};

/// What the build needs from the system: the C library for static binaries.
pub fn for_build() -> Outcome<()> {
    packages(&[("musl-gcc", "musl-tools"), ("cc", "gcc")])
}

/// What the tests need besides.
pub fn for_tests() -> Outcome<()> {
    packages(&[
        ("musl-gcc", "musl-tools"),
        ("cc", "gcc"),
        ("python3", "python3"),
        ("unshare", "util-linux"),
        ("strace", "strace"),
        ("git", "git"),
    ])?;
    venv_package()
}

/// cargo-nextest, from PATH or built into `target/tools`.
pub fn nextest() -> Outcome<PathBuf> {
    tool("cargo-nextest")
}

/// cargo-deny, from PATH or built into `target/tools`.
pub fn deny() -> Outcome<PathBuf> {
    tool("cargo-deny")
}

fn tool(name: &str) -> Outcome<PathBuf> {
    if has(name) {
        return Ok(name.into());
    }
    let tools = root().join("target/tools");
    let program = tools.join("bin").join(name);
    if !program.is_file() {
        step(&format!("{name} into target/tools"), || {
            quietly(Command::new("cargo").args(["install", "--locked", "--quiet", name, "--root"]).arg(&tools))
        })?;
    }
    Ok(program)
}

/// The system's Python has `ensurepip` only with its venv package.
fn venv_package() -> Outcome<()> {
    if quietly(Command::new("/usr/bin/python3").args(["-c", "import ensurepip"])).is_ok() {
        return Ok(());
    }
    install(&["python3-venv"])
}

fn packages(needed: &[(&str, &str)]) -> Outcome<()> {
    let missing: Vec<&str> = needed.iter().filter(|(program, _)| !has(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

fn install(packages: &[&str]) -> Outcome<()> {
    if !is_root() {
        return Err(format!("these packages are missing, and installing them needs root: {}", packages.join(" ")).into());
    }
    step(&format!("apt-get install {}", packages.join(" ")), || {
        let apt = || Command::new("apt-get");
        let add = |mut command: Command| {
            quietly(
                command
                    .env("DEBIAN_FRONTEND", "noninteractive")
                    .args(["install", "-y", "-q", "--no-install-recommends"])
                    .args(packages),
            )
        };
        // The lists of a fresh machine may be old or absent.
        add(apt()).or_else(|_| quietly(apt().args(["update", "-q"])).and_then(|_| add(apt())))
    })
    .map(drop)
}
