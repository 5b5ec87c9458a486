//! Every parser of bytes from outside under libFuzzer, with the address and leak sanitizers: `tests/fuzz`. The toolchain is the
//! pinned one: its compiler has the passes, and `RUSTC_BOOTSTRAP` lets it take the one flag that is not stable.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::setup;
use crate::shell::{Outcome, root, run, step};

/// Minutes for each target where none are given.
const MINUTES: f64 = 1.0;
/// As `tests/fuzz/targets` has it: no longer input, in bytes. A parser that takes longer than the limit there is a crash.
const MOST: usize = 64 * 1024;
/// What takes so many seconds hangs. How long an answer takes is measured as CPU time, by the target itself.
const HANGS: u32 = 60;
/// A run that needs more memory is a crash, in MiB. The sanitizer alone takes some hundred.
const MEMORY: usize = 1024;
/// What cargo-fuzz gives the compiler.
const FLAGS: &[&str] = &[
    "-Zsanitizer=address",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=4",
    "--cfg",
    "fuzzing",
];

/// `[--minutes N] [TARGET…]`: builds, writes the seeds, and runs each target, or those that are named.
pub fn fuzz(options: &[&str]) -> Outcome<()> {
    let (minutes, named) = match options {
        ["--minutes", minutes, named @ ..] => (minutes.parse::<f64>()?, named),
        named => (MINUTES, named),
    };
    if let Some(option) = named.iter().find(|name| name.starts_with('-')) {
        return Err(format!("{option} is no target").into());
    }
    setup::packages(&[("cc", "gcc"), ("g++", "g++")])?;
    let program = step("the fuzzer", build)?;
    let seeds = root().join("target/fuzz/seeds");
    let names = step("seeds from tests/fixtures", || write_seeds(&program, &seeds))?;
    if let Some(unknown) = named.iter().find(|name| !names.iter().any(|known| known == *name)) {
        return Err(format!("no target {unknown}; there are {}", names.join(" ")).into());
    }
    let chosen = names.iter().filter(|name| named.is_empty() || named.contains(&name.as_str()));
    let broken: Vec<&String> = chosen.filter(|name| !one(&program, &seeds, name, minutes)).collect();
    if broken.is_empty() { Ok(()) } else { Err(format!("what broke {broken:?} lies in target/fuzz/broken").into()) }
}

fn build() -> Outcome<PathBuf> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = Command::new("cargo");
    command.args(["build", "--quiet", "--locked", "--release", "--manifest-path", "tests/fuzz/Cargo.toml"]);
    command.args(["--target", &target, "--target-dir", "target/fuzz"]);
    command.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}")).env("RUSTC_BOOTSTRAP", "1");
    run(&mut command)?;
    Ok(root().join("target/fuzz").join(target).join("release/longhorn-fuzz"))
}

/// Writes them anew, and returns the names of the targets.
fn write_seeds(program: &Path, seeds: &Path) -> Outcome<Vec<String>> {
    if seeds.exists() {
        std::fs::remove_dir_all(seeds)?;
    }
    let names = crate::shell::quietly(Command::new(program).env("LONGHORN_FUZZ_SEEDS", seeds))?;
    Ok(names.lines().map(str::to_owned).collect())
}

/// Runs one target and tells its figures; false when something broke it. What it finds is kept for the next time.
fn one(program: &Path, seeds: &Path, name: &str, minutes: f64) -> bool {
    let directory = root().join("target/fuzz");
    let (corpus, broken) = (directory.join("corpus").join(name), directory.join("broken").join(name));
    let log = directory.join(format!("{name}.log"));
    let began = Instant::now();
    let outcome = [&corpus, &broken].into_iter().try_for_each(std::fs::create_dir_all).and_then(|()| {
        let output = std::fs::File::create(&log)?;
        let mut command = Command::new(program);
        command.arg(&corpus).arg(seeds.join(name));
        command.arg(format!("-max_len={MOST}")).arg(format!("-rss_limit_mb={MEMORY}"));
        command.arg(format!("-max_total_time={}", (minutes * 60.0).ceil()));
        command.arg(format!("-timeout={HANGS}"));
        command.args(["-detect_leaks=1", "-print_final_stats=1", "-use_value_profile=1", "-reload=0"]);
        command.arg(format!("-artifact_prefix={}/", broken.display()));
        command.env("LONGHORN_FUZZ_TARGET", name).current_dir(root());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output).status()
    });
    let text = std::fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let figure = |name: &str| {
        let line = text.lines().rev().find(|line| line.contains(name)).unwrap_or_default();
        line.split(name).nth(1).unwrap_or_default().split_whitespace().next().unwrap_or("?").to_owned()
    };
    let covered = |line: Option<&str>| {
        let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
        words.windows(2).find(|pair| pair[0] == "cov:").map_or("?", |pair| pair[1]).to_owned()
    };
    let first = covered(text.lines().find(|line| line.contains("INITED")));
    let last = covered(text.lines().rev().find(|line| line.contains("cov: ")));
    let longest = text.lines().rev().find_map(|line| line.strip_prefix("LONGEST ")).unwrap_or("unknown");
    let passed = outcome.is_ok_and(|status| status.success());
    println!(
        "fuzz {name}: {} in {:.0} s: {} executions, coverage {first} from the seeds, {last} at the end; the longest answer: {longest}",
        if passed { "nothing broke" } else { "BROKEN" },
        began.elapsed().as_secs_f64(),
        figure("stat::number_of_executed_units:"),
    );
    if !passed {
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        println!("{}", lines[lines.len().saturating_sub(60)..].join("\n"));
    }
    passed
}
