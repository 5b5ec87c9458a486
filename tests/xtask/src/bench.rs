//! Runs the benchmarks and compares their figures with the promises in `benches/budgets.toml`.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::shell::{Outcome, root, step};
use crate::{build, setup};

/// Runs all benchmarks.
pub fn run() -> Outcome<()> {
    setup::for_tests()?;
    let binary = build::binary()?;
    let simulator = build::simulator()?;
    let mut figures: BTreeMap<String, f64> = BTreeMap::new();
    let mebibytes = std::fs::metadata(&binary)?.len() as f64 / (1024.0 * 1024.0);
    figures.insert("binary-mebibytes".into(), mebibytes);
    for bench in ["record", "launch"] {
        let text = step(&format!("bench {bench}"), || {
            let mut command = Command::new("cargo");
            command
                .args(["bench", "--quiet", "--target", &build::target(), "--bench", bench])
                .env("LONGHORN_BIN", &binary)
                .env("LONGHORN_SIMULATOR", &simulator);
            let output = command.current_dir(root()).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
            if output.status.success() {
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            } else {
                Err(format!("{}", output.status).into())
            }
        })?;
        print!("{text}");
        let lines = text.lines().filter_map(|line| line.strip_prefix("figure ")).filter_map(|line| line.split_once(' '));
        figures.extend(lines.filter_map(|(name, value)| Some((name.to_owned(), value.trim().parse().ok()?))));
    }
    compare(&figures)
}

fn compare(figures: &BTreeMap<String, f64>) -> Outcome<()> {
    let text = std::fs::read_to_string(root().join("benches/budgets.toml"))?;
    let mut name = "";
    let mut broken = 0;
    for line in text.lines() {
        if let Some(found) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name = found;
        }
        let bound = line.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        let Some((key @ ("at-most" | "at-least"), Some(limit))) = bound.map(|(key, value)| (key, value.parse::<f64>().ok()))
        else {
            continue;
        };
        match figures.get(name) {
            None => println!("pending  {name}"),
            Some(figure) => {
                let kept = if key == "at-most" { *figure <= limit } else { *figure >= limit };
                broken += u32::from(!kept);
                println!("{}  {name}: {figure:.3}, {key} {limit}", if kept { "kept   " } else { "BROKEN " });
            }
        }
    }
    if broken == 0 { Ok(()) } else { Err(format!("{broken} budgets are broken").into()) }
}
