//! Figures against `benches/budgets.toml`.

use std::collections::BTreeMap;

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Budget {
    at_most: Option<f64>,
    at_least: Option<f64>,
}

/// Promises are those of the binary that ships: `cargo xtask bench` builds it and names it. Figures of another one look like
/// figures, and are none.
///
/// # Panics
/// When it is not named.
pub fn of_the_binary_that_ships() {
    assert!(std::env::var_os("LONGHORN_BIN").is_some(), "LONGHORN_BIN names no binary: run `cargo xtask bench`");
}

/// Prints every figure beside its budget; panics when one is missed, so that the run fails.
pub fn compare<'a>(figures: impl Iterator<Item = (&'a str, f64)>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/budgets.toml");
    let text = std::fs::read_to_string(path).expect("the budgets are part of the tree");
    let budgets: BTreeMap<String, Budget> = toml::from_str(&text).expect("the budgets read");
    let mut missed = Vec::new();
    for (name, value) in figures {
        let budget = budgets.get(name).unwrap_or_else(|| panic!("no budget for {name}"));
        let held = budget.at_most.is_none_or(|most| value <= most) && budget.at_least.is_none_or(|least| value >= least);
        let bound = match (budget.at_most, budget.at_least) {
            (Some(most), _) => format!("at most {most}"),
            (None, Some(least)) => format!("at least {least}"),
            (None, None) => panic!("{name} promises nothing"),
        };
        println!("{name:40} {value:10.3}   {bound:16} {}", if held { "held" } else { "MISSED" });
        if !held {
            missed.push(name);
        }
    }
    assert!(missed.is_empty(), "missed: {}", missed.join(", "));
}
