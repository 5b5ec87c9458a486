//! Installs what the tests need, builds the binary that ships, and runs every test against it. Minutes per suite are
//! compared with a checked-in table.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::shell::{Outcome, is_root, root, step};
use crate::{build, extra, setup};

/// Suites in the order in which they run: their names and the nextest filter of each.
const SUITES: &[(&str, &[&str])] = &[
    ("unit", &["--workspace", "--lib", "--bins"]),
    ("papers", &["--test", "architecture", "--test", "compile_fail", "--test", "papers"]),
    ("documents", &["--test", "config", "--test", "policy", "--test", "decide"]),
    ("labels", &["--test", "labels"]),
    ("attest", &["--test", "attest", "--test", "saml"]),
    ("node-document", &["--test", "node_document", "--test", "metadata"]),
    ("workload-identity", &["--test", "workload_identity"]),
    ("parsers", &["--test", "parsers"]),
    ("issuer", &["--test", "issuer"]),
    ("provider", &["--test", "provider_oidc"]),
    ("provider-saml", &["--test", "provider_saml"]),
    ("sdk", &["--test", "sdk", "--test", "render"]),
    ("mlflow", &["--test", "mlflow_endpoints", "--test", "mlflow_traps"]),
    ("gateway", &["--test", "gateway", "--test", "gate", "--test", "mlflow_gateway"]),
    ("databricks", &["--test", "mlflow_databricks"]),
    ("record", &["--test", "record"]),
    ("record-faults", &["--test", "record_faults"]),
    ("init-script", &["--test", "init_script"]),
    ("journal", &["--test", "journal"]),
    ("node", &["--test", "node"]),
    ("lock", &["--test", "lock"]),
    ("cluster", &["--test", "cluster"]),
    ("mlflow-plugin", &["--test", "mlflow_plugin"]),
    ("demo", &["--test", "demo"]),
    ("cli", &["--test", "cli", "--test", "sealed"]),
    ("mutants", &["--test", "mutants"]),
    ("aarch64", &["--test", "aarch64"]),
    ("images", &["--test", "images"]),
];

/// What a suite needs besides; where that cannot be had, the suite is skipped, and the reason is told.
const EXTRA: &[(&str, extra::Get)] = &[("provider-saml", extra::saml), ("aarch64", extra::aarch64), ("images", extra::images)];

/// Runs every suite.
pub fn run(options: &[&str]) -> Outcome<()> {
    let long = options.contains(&"--long");
    if !is_root() {
        println!("SKIP tests of the kernel lock and of whole nodes: they need root");
    }
    setup::for_tests()?;
    let nextest = setup::nextest()?;
    let binary = build::binary()?;
    let simulator = build::simulator()?;
    let allowed = minutes()?;
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
            let mut command = Command::new(&nextest);
            command
                .args([
                    "nextest",
                    "run",
                    "--no-fail-fast",
                    "--hide-progress-bar",
                    "--success-output",
                    "final",
                    "--no-tests",
                    "fail",
                ])
                .args(*filter);
            command
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
