//! What a hostile program reported of its attempts, unlocked and locked, side by side.

use std::path::Path;

use crate::shell::Outcome;

/// One line for each attempt: what was tried, whether it succeeded, how it ended, what would have to be open for it.
pub struct Attempts(Vec<[String; 4]>);

impl Attempts {
    /// As a file holds them.
    pub fn read(path: &Path) -> Outcome<Self> {
        Self::parse(&std::fs::read_to_string(path)?)
    }

    /// As `attempts.py` prints them.
    pub fn parse(text: &str) -> Outcome<Self> {
        let row = |line: &str| {
            let row: Vec<String> = line.split('\t').map(str::to_owned).collect();
            <[String; 4]>::try_from(row).map_err(|_| format!("not an attempt: {line}").into())
        };
        let rows: Vec<_> = text.lines().map(row).collect::<Outcome<_>>()?;
        if rows.is_empty() { Err("no attempt was reported".into()) } else { Ok(Self(rows)) }
    }

    /// Shows both, and fails unless each succeeds unlocked and fails locked; on somebody's own machine a way that its lock
    /// names as open stays open, and what the machine denies by itself is named.
    pub fn beside(&self, held: &Self, ground: &Ground) -> Outcome<()> {
        if self.0.len() != held.0.len() {
            return Err(format!("{} attempts unlocked, {} locked", self.0.len(), held.0.len()).into());
        }
        let mut wrong = Vec::new();
        println!("   {:31} {:41} locked", "", "unlocked");
        for ([title, before, what, way], [_, after, how, _]) in self.0.iter().zip(&held.0) {
            let (own, open) = match ground {
                Ground::Node => (false, false),
                Ground::Machine { open } => (before == "failed", open.contains(way)),
            };
            let end = match (own, open) {
                (true, _) => "not shown: this machine denies it by itself".to_owned(),
                (false, true) => format!("{after}: {way} stay open on this machine"),
                (false, false) => format!("{after}: {how}"),
            };
            println!("   {title:31} {:41} {end}", format!("{before}: {what}"));
            if !own && (before != "succeeded" || (after != "failed" && !open)) {
                wrong.push(title.as_str());
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(format!("not shown both ways: {}", wrong.join(", ")).into()) }
    }
}

/// Where the attempts were made.
pub enum Ground {
    /// On a node of ours.
    Node,
    /// On a machine as it is.
    Machine {
        /// The ways that its lock leaves open, by name.
        open: Vec<String>,
    },
}
