//! Names of variables, by what is known of them.

use super::super::env_names::{Family, foreign};
use super::super::read_preset::{Certainty, entries, names};
use super::evidence::Evidence;
use super::{Group, Variable};
use crate::decision::environment::{Environment, NamePattern};

pub(super) fn grouped(environment: &Environment, evidence: &Evidence) -> Vec<Variable> {
    let removed = evidence.removed.iter().map(|(name, launches)| {
        let (group, why) = group(environment, name);
        Variable { group, name: name.clone(), launches: *launches, why }
    });
    let overridden = evidence.overridden.iter().map(|(name, launches)| {
        let pinned = environment.variables.pin.keys().any(|pin| pin.as_str() == name);
        let (group, why) = if pinned { (Group::Pinned, String::new()) } else { group(environment, name) };
        Variable { group, name: name.clone(), launches: *launches, why }
    });
    let mut all: Vec<Variable> = removed.chain(overridden).collect();
    all.sort();
    all.dedup_by(|later, earlier| later.name == earlier.name && later.group == earlier.group);
    all
}

/// What is there already stays; of the rest what is dangerous weighs more than that a preset knows it.
fn group(environment: &Environment, name: &str) -> (Group, String) {
    if environment.variables.pin.keys().any(|pin| pin.as_str() == name) || allows(&environment.variables.allow, name) {
        return (Group::There, String::new());
    }
    let known = known(name);
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

fn allows<'a>(patterns: impl IntoIterator<Item = &'a NamePattern>, name: &str) -> bool {
    patterns.into_iter().any(|pattern| match pattern {
        NamePattern::Exact(exact) => exact.as_str() == name,
        NamePattern::Prefix(prefix) => name.starts_with(prefix.as_str()),
    })
}

/// The preset's entry that lets it through: the surest one.
fn known(name: &str) -> Option<String> {
    let all = names().flat_map(|preset| entries(preset).unwrap_or_default().into_iter().map(move |entry| (preset, entry)));
    let rank = |certainty: Certainty| match certainty {
        Certainty::Confirmed => 0,
        Certainty::Seen => 1,
        Certainty::Guess => 2,
    };
    all.filter(|(_, entry)| allows(entry.allows(), name))
        .min_by_key(|(_, entry)| rank(entry.certainty))
        .map(|(preset, entry)| format!("preset {preset} has it, {}: {}", entry.certainty.word(), entry.source))
}
