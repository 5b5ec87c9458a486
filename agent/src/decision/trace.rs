//! Why a decision came out as it did: every rule, hit or missed.

use serde::Serialize;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Step {
    /// Which rule: `role ml-engineer`, `scope fraud-training / run-by`.
    pub rule: String,
    /// Whether it was met.
    pub hit: bool,
    /// Why.
    pub why: String,
}

/// All rules that were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// In a fixed order, whatever the order in the file.
    pub steps: Vec<Step>,
}

impl Trace {
    pub(super) fn note(&mut self, rule: impl Into<String>, hit: bool, why: impl Into<String>) -> bool {
        self.steps.push(Step { rule: rule.into(), hit, why: why.into() });
        hit
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and booleans")
    }
}

impl std::fmt::Display for Trace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = self.steps.iter().map(|step| step.rule.chars().count()).max().unwrap_or(0);
        for Step { rule, hit, why } in &self.steps {
            writeln!(out, "{}  {rule:width$}  {}", if *hit { "hit " } else { "miss" }, crate::screen::one_line(why))?;
        }
        Ok(())
    }
}
