//! Names of variables, by what is known of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::super::env_names::{Family, foreign};
use super::super::read_preset::{Certainty, Entry, entries, names};
use super::evidence::Evidence;
use super::{Group, Variable};
use crate::decision::environment::{Environment, NamePattern};

/// What the environment says of names already: pinned, or let through.
struct There<'a> {
    exact: BTreeSet<&'a str>,
    prefixes: Vec<&'a str>,
}

impl<'a> There<'a> {
    fn of(environment: &'a Environment) -> Self {
        let mut found = Self { exact: BTreeSet::new(), prefixes: Vec::new() };
        found.exact.extend(environment.variables.pin.keys().map(|name| name.as_str()));
        for pattern in &environment.variables.allow {
            match pattern {
                NamePattern::Exact(name) => drop(found.exact.insert(name.as_str())),
                NamePattern::Prefix(prefix) => found.prefixes.push(prefix),
            }
        }
        found
    }

    fn has(&self, name: &str) -> bool {
        self.exact.contains(name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

/// What lets names through in presets: of two that let one through the surer, of two as sure the first.
struct Presets<'a> {
    exact: BTreeMap<&'a str, (u8, usize)>,
    prefixes: Vec<(&'a str, (u8, usize))>,
    all: &'a [(&'static str, Entry)],
}

impl<'a> Presets<'a> {
    fn of(all: &'a [(&'static str, Entry)]) -> Self {
        let mut found = Self { exact: BTreeMap::new(), prefixes: Vec::new(), all };
        for (at, (_, entry)) in all.iter().enumerate() {
            let rank = match entry.certainty {
                Certainty::Confirmed => 0,
                Certainty::Seen => 1,
                Certainty::Guess => 2,
            };
            for pattern in entry.allows() {
                match pattern {
                    NamePattern::Exact(name) => {
                        let best = found.exact.entry(name.as_str()).or_insert((rank, at));
                        *best = (*best).min((rank, at));
                    }
                    NamePattern::Prefix(prefix) => found.prefixes.push((prefix, (rank, at))),
                }
            }
        }
        found
    }

    /// The entry that lets it through.
    fn known(&self, name: &str) -> Option<String> {
        let prefixes = self.prefixes.iter().filter(|(prefix, _)| name.starts_with(prefix)).map(|(_, place)| place);
        let (_, at) = prefixes.chain(self.exact.get(name)).min()?;
        let (preset, entry) = &self.all[*at];
        Some(format!("preset {preset} has it, {}: {}", entry.certainty.word(), entry.source))
    }
}

/// Every entry of every preset of this build, with the preset's name; read once.
fn all() -> &'static [(&'static str, Entry)] {
    static ALL: OnceLock<Vec<(&'static str, Entry)>> = OnceLock::new();
    let of = |preset| entries(preset).unwrap_or_default().into_iter().map(move |entry| (preset, entry));
    ALL.get_or_init(|| names().flat_map(of).collect())
}

pub(super) fn grouped(environment: &Environment, evidence: &Evidence) -> Vec<Variable> {
    let (there, presets) = (There::of(environment), Presets::of(all()));
    let removed = evidence.removed.iter().map(|(name, launches)| {
        let (group, why) = group(&there, &presets, name);
        Variable { group, name: name.clone(), launches: *launches, why }
    });
    let overridden = evidence.overridden.iter().map(|(name, launches)| {
        let pinned = environment.variables.pin.keys().any(|pin| pin.as_str() == name);
        let (group, why) = if pinned { (Group::Pinned, String::new()) } else { group(&there, &presets, name) };
        Variable { group, name: name.clone(), launches: *launches, why }
    });
    let mut all: Vec<Variable> = removed.chain(overridden).collect();
    all.sort();
    all.dedup_by(|later, earlier| later.name == earlier.name && later.group == earlier.group);
    all
}

/// What is there already stays; of the rest what is dangerous weighs more than that a preset knows it.
fn group(there: &There<'_>, presets: &Presets<'_>, name: &str) -> (Group, String) {
    if there.has(name) {
        return (Group::There, String::new());
    }
    let known = presets.known(name);
    match (foreign(name), known) {
        (Some((family, why)), known) => {
            let group = match family {
                Family::Hook => Group::Hook,
                Family::Credential => Group::Credential,
                Family::Leftover => Group::Leftover,
            };
            (group, known.map_or_else(|| why.to_owned(), |known| format!("{why}; {known}")))
        }
        (None, Some(known)) => (Group::Known, known),
        (None, None) => (Group::Unknown, String::new()),
    }
}
