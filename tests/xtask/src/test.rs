//! Installs what the tests need, builds the binary that ships, and runs every test against it. Minutes per suite are
//! compared with a checked-in table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::shell::{self, Outcome, is_root, root, step};
use crate::{build, extra, setup};

/// Suites in the order in which they run: their names and the nextest filter of each.
const SUITES: &[(&str, &str)] = &[
    ("unit", "kind(lib) + kind(bin)"),
    ("papers", "binary(architecture) + binary(compile_fail) + binary(papers)"),
    ("documents", "binary(config) + binary(policy) + binary(decide)"),
    ("labels", "binary(labels)"),
    ("attest", "binary(attest) + binary(saml)"),
    ("node-document", "binary(node_document) + binary(metadata)"),
    ("workload-identity", "binary(workload_identity)"),
    ("parsers", "binary(parsers)"),
    ("issuer", "binary(issuer)"),
    ("provider", "binary(provider_oidc)"),
    ("provider-saml", "binary(provider_saml)"),
    ("sdk", "binary(sdk) + binary(render)"),
    ("mlflow", "binary(mlflow_endpoints) + binary(mlflow_traps)"),
    ("gateway", "binary(gateway) + binary(gate) + binary(mlflow_gateway)"),
    ("databricks", "binary(mlflow_databricks)"),
    ("record", "binary(record)"),
    ("record-faults", "binary(record_faults)"),
    ("init-script", "binary(init_script)"),
    ("journal", "binary(journal)"),
    ("node", "binary(node)"),
    ("lock", "binary(lock)"),
    ("cluster", "binary(cluster)"),
    ("mlflow-plugin", "binary(mlflow_plugin)"),
    ("demo", "binary(demo)"),
    ("cli", "binary(cli) + binary(sealed)"),
    ("mutants", "binary(mutants)"),
    ("aarch64", "binary(aarch64)"),
    ("images", "binary(images)"),
];

/// What a suite needs besides; where that cannot be had, the suite is skipped, and the reason is told.
const EXTRA: &[(&str, extra::Get)] = &[("provider-saml", extra::saml), ("aarch64", extra::aarch64), ("images", extra::images)];

/// Runs every suite.
pub fn run(options: &[&str]) -> Outcome<()> {
    let long = options.contains(&"--long");
    if !is_root() {
        println!("SKIP tests of the kernel lock and of whole nodes: they need root");
    }
    let allowed = minutes()?;
    let Built { nextest, binary, simulator } = everything()?;
    let mut total = [0u32; 3];
    let mut skips = Vec::new();
    let mut late = Vec::new();
    let mut failed = Vec::new();
    for (name, filter) in SUITES {
        let began = Instant::now();
        let extra = EXTRA.iter().find(|(suite, _)| suite == name).map_or(Ok(extra::Given::new()), |(_, get)| get());
        let mut given = match extra {
            Ok(given) => given,
            Err(error) => {
                let reason = error.to_string().replace('\n', " ");
                println!("suite {name}: skipped: {reason}");
                skips.push(format!("suite {name}: {reason}"));
                continue;
            }
        };
        if *name == "aarch64" {
            // Its tools are there, so a build that fails is no skip.
            match build::binary_for(extra::AARCH64) {
                Ok(binary) => given.push(("LONGHORN_AARCH64", binary.into())),
                Err(error) => {
                    println!("suite {name}: {error}");
                    failed.push(*name);
                    continue;
                }
            }
        }
        let outcome = step(&format!("suite {name}"), || {
            let mut command = nextest_of(&nextest);
            command.args(["--no-fail-fast", "--hide-progress-bar", "--success-output", "final", "--no-tests", "fail"]);
            command
                .args(["--filterset", filter])
                .env("LONGHORN_BIN", &binary)
                .env("LONGHORN_SIMULATOR", &simulator)
                .env("LONGHORN_LONG", if long { "1" } else { "" })
                .envs(given.drain(..));
            let output = command.current_dir(root()).stdin(Stdio::null()).output()?;
            Ok((
                output.status.success(),
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
            ))
        })?;
        let (passed, text) = outcome;
        skips.extend(text.lines().filter_map(|line| line.trim().strip_prefix("SKIP ")).map(str::to_owned));
        let counted = count(&text);
        total.iter_mut().zip(counted).for_each(|(sum, one)| *sum += one);
        println!("suite {name}: {} passed, {} failed, {} skipped", counted[0], counted[1], counted[2]);
        if !passed {
            println!("{text}");
            failed.push(*name);
        }
        let took = began.elapsed().as_secs_f64() / 60.0;
        let limit = allowed.get(*name).copied().ok_or_else(|| format!("tests/minutes.toml has no line for {name}"))?;
        if took > 2.0 * limit + 1.0 {
            late.push(format!("{name} took {took:.1} minutes; tests/minutes.toml says {limit}"));
        }
    }
    skips.sort();
    skips.dedup();
    skips.iter().for_each(|skip| println!("SKIP {skip}"));
    late.iter().for_each(|line| println!("LATE {line}"));
    println!("{} passed, {} failed, {} skipped", total[0], total[1], total[2]);
    if failed.is_empty() && late.is_empty() { Ok(()) } else { Err(format!("failed: {failed:?}, late: {late:?}").into()) }
}

/// What the suites run with: the test runner, the binary that ships, and the simulator.
struct Built {
    nextest: PathBuf,
    binary: PathBuf,
    simulator: PathBuf,
}

/// Installs and builds everything, two things at once: the binary that ships is one file to its compiler for most of its time,
/// and the other core installs, then builds what tests it.
fn everything() -> Outcome<Built> {
    // Packages of the system come first: there is one installer, and both sides need a compiler.
    setup::for_build(&build::target())?;
    setup::packages_for_tests()?;
    std::thread::scope(|scope| {
        let binary = scope.spawn(|| build::binary().map_err(|error| error.to_string()));
        let tests = || -> Outcome<(PathBuf, PathBuf)> {
            setup::for_tests()?;
            let (nextest, simulator) = (setup::nextest()?, build::simulator()?);
            step("the tests", || shell::run(nextest_of(&nextest).args(["--no-run", "--cargo-quiet"])))?;
            Ok((nextest, simulator))
        };
        let tests = tests();
        let binary = binary.join().map_err(|_| "building the binary panicked")??;
        let (nextest, simulator) = tests?;
        Ok(Built { nextest, binary, simulator })
    })
}

/// nextest over the whole workspace: one selection for all suites, so that nothing is built twice with other features.
fn nextest_of(nextest: &Path) -> Command {
    let mut command = Command::new(nextest);
    command.args(["nextest", "run", "--workspace"]);
    command
}

fn minutes() -> Outcome<BTreeMap<String, f64>> {
    let text = std::fs::read_to_string(root().join("tests/minutes.toml"))?;
    let lines = text.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| !name.starts_with('#'));
    lines.map(|(name, value)| Ok((name.trim().to_owned(), value.trim().parse()?))).collect()
}

/// From nextest's closing line: `Summary [ 1.2s] 10 tests run: 9 passed, 1 failed, 2 skipped`.
fn count(text: &str) -> [u32; 3] {
    let summary = text.lines().rev().find(|line| line.contains("Summary")).unwrap_or_default();
    let number = |word: &str| {
        let words: Vec<&str> = summary.split_whitespace().collect();
        words.windows(2).find(|pair| pair[1].trim_end_matches(',') == word).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
    };
    [number("passed"), number("failed"), number("skipped")]
}
