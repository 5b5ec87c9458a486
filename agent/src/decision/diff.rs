//! What another policy would change: two policies compared by what they mean, never by how they are written. Presets are
//! merged in already, so another preset shows as what it does. Values of pinned variables are compared and never told.

mod environment;
mod models;
mod node_trust;
mod scopes;
#[cfg(test)]
mod tests;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::policy::{Identities, LaunchRecording, Lifetimes, Policy};
use crate::identity::ids::LocalName;

/// Which part of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The policy as a whole.
    Policy,
    /// Whom it trusts.
    Trust,
    /// One issuer.
    Issuer(LocalName),
    /// One role.
    Role(LocalName),
    /// One job scope.
    Scope(LocalName),
    /// One environment: every scope that runs in it.
    Environment(LocalName),
    /// One compute policy.
    Compute(LocalName),
    /// One registered model, or those that begin so.
    Model(String),
    /// One who approves.
    Approver(LocalName),
    /// What data holds.
    Labels,
    /// What is asked of Unity Catalog.
    Catalog,
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy => out.write_str("policy"),
            Self::Trust => out.write_str("trust"),
            Self::Issuer(name) => write!(out, "issuer {name}"),
            Self::Role(name) => write!(out, "role {name}"),
            Self::Scope(name) => write!(out, "scope {name}"),
            Self::Environment(name) => write!(out, "environment {name}"),
            Self::Compute(name) => write!(out, "compute {name}"),
            Self::Model(name) => write!(out, "model {name}"),
            Self::Approver(name) => write!(out, "approver {name}"),
            Self::Labels => out.write_str("labels"),
            Self::Catalog => out.write_str("unity-catalog"),
        }
    }
}

/// What a difference means: for the job where it gives or takes something, else for the lock around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The subject may do more, or more come under it.
    Gains,
    /// The subject may do less, or fewer come under it.
    Loses,
    /// Less is demanded or held.
    Weaker,
    /// More is demanded or held.
    Stronger,
    /// Another, neither more nor less; or a statement that has no effect beside another one.
    Changed,
}

impl Effect {
    /// The word in answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gains => "GAINS",
            Self::Loses => "LOSES",
            Self::Weaker => "WEAKER",
            Self::Stronger => "STRONGER",
            Self::Changed => "CHANGED",
        }
    }

    /// The same seen from the other policy.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Gains => Self::Loses,
            Self::Loses => Self::Gains,
            Self::Weaker => Self::Stronger,
            Self::Stronger => Self::Weaker,
            Self::Changed => Self::Changed,
        }
    }

    fn widens(self) -> bool {
        matches!(self, Self::Gains | Self::Weaker)
    }

    fn narrows(self) -> bool {
        matches!(self, Self::Loses | Self::Stronger)
    }
}

/// How it stands in one policy and in the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Only the new policy says it.
    Added(String),
    /// Only the old policy says it.
    Removed(String),
    /// Each says something else.
    Replaced {
        /// The old one.
        from: String,
        /// The new one.
        to: String,
    },
    /// Both give this name a value, and not the same one. The values stay where they are.
    Value(String),
}

impl Change {
    fn mirrored(&self) -> Self {
        match self {
            Self::Added(what) => Self::Removed(what.clone()),
            Self::Removed(what) => Self::Added(what.clone()),
            Self::Replaced { from, to } => Self::Replaced { from: to.clone(), to: from.clone() },
            Self::Value(name) => Self::Value(name.clone()),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(what) => write!(out, "+ {what}"),
            Self::Removed(what) => write!(out, "- {what}"),
            Self::Replaced { from, to } => write!(out, "{from} -> {to}"),
            Self::Value(name) => write!(out, "{name} has another value"),
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Of what.
    pub subject: Subject,
    /// Which statement, as the policy's own keys have it.
    pub key: &'static str,
    /// What it means.
    pub effect: Effect,
    /// How it changed.
    pub change: Change,
}

/// Every difference, in the order of subjects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The lines, sorted.
    pub lines: Vec<Line>,
}

impl Diff {
    /// The same seen from the other policy.
    pub fn mirrored(&self) -> Self {
        let mirrored = |line: &Line| Line { effect: line.effect.mirrored(), change: line.change.mirrored(), ..line.clone() };
        let mut lines: Vec<Line> = self.lines.iter().map(mirrored).collect();
        lines.sort();
        Self { lines }
    }

    /// What the new policy is, held against the old one.
    pub fn summary(&self) -> &'static str {
        let any = |which: fn(Effect) -> bool| self.lines.iter().any(|line| which(line.effect));
        match (any(Effect::widens), any(Effect::narrows), self.lines.is_empty()) {
            (true, true, _) => "wider in some, narrower in some",
            (true, false, _) => "wider",
            (false, true, _) => "narrower",
            (false, false, false) => "different, neither wider nor narrower",
            (false, false, true) => "the same",
        }
    }
}

/// Compares.
pub fn diff(old: &Policy, new: &Policy) -> Diff {
    // Taken apart whole, here and in every part: a field that is new does not build until somebody compared it.
    let Policy {
        serial,
        not_after,
        enforcement,
        identities,
        trust,
        roles,
        scopes,
        environments,
        compute,
        models,
        launches,
        lifetimes,
        // Of the text, and no statement of its own.
        digest: _,
    } = new;
    let mut whole = Lines::of(Subject::Policy);
    whole.replaced("serial", &old.serial.to_string(), &serial.to_string(), Effect::Changed);
    whole.ordered("not-after", old.not_after, *not_after, ToString::to_string, Effect::Gains);
    // One of two words: it is another one only by becoming the weaker or the stronger.
    let observes = |word: &str| if word == "observe" { Effect::Weaker } else { Effect::Stronger };
    whole.replaced("enforcement", old.enforcement.word(), enforcement.word(), observes(enforcement.word()));
    let clear = if *identities == Identities::Clear { Effect::Weaker } else { Effect::Stronger };
    whole.replaced("identities", persons(old.identities), persons(*identities), clear);
    whole.replaced("launches.record", recording(old.launches), recording(*launches), Effect::Changed);
    whole.lifetimes(old.lifetimes, *lifetimes);
    let mut lines = whole.found;
    lines.extend(trust::trust(&old.trust, trust));
    lines.extend(each(&old.roles, roles, scopes::role));
    lines.extend(each(&old.scopes, scopes, |name, one, other| {
        let mut found = scopes::scope(name, one, other);
        // A scope that moves to another environment: what that does.
        if let (Some(one), Some(other)) = (one, other)
            && one.environment != other.environment
            && let (Some(from), Some(to)) = (old.environments.get(&one.environment), environments.get(&other.environment))
        {
            found.extend(environment::content(Subject::Scope(name.clone()), from, to));
        }
        found
    }));
    lines.extend(each(&old.environments, environments, environment::environment));
    lines.extend(each(&old.compute, compute, scopes::compute));
    lines.extend(models::models(&old.models, models));
    lines.sort();
    Diff { lines }
}

/// Every name of both, with what either has of it.
fn each<K: Ord, T>(
    old: &BTreeMap<K, T>,
    new: &BTreeMap<K, T>,
    compare: impl Fn(&K, Option<&T>, Option<&T>) -> Vec<Line>,
) -> Vec<Line> {
    let names: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    names.into_iter().flat_map(|name| compare(name, old.get(name), new.get(name))).collect()
}

fn persons(identities: Identities) -> &'static str {
    match identities {
        Identities::Pseudonymous => "pseudonymous",
        Identities::Clear => "clear",
    }
}

fn recording(launches: LaunchRecording) -> &'static str {
    match launches {
        LaunchRecording::Reported => "reported",
    }
}

/// The lines of one subject while they are found.
struct Lines {
    subject: Subject,
    found: Vec<Line>,
}

impl Lines {
    fn of(subject: Subject) -> Self {
        Self { subject, found: Vec::new() }
    }

    fn say(&mut self, key: &'static str, effect: Effect, change: Change) {
        self.found.push(Line { subject: self.subject.clone(), key, effect, change });
    }

    /// Statements that stand beside each other; `more` is what one more of them means.
    fn set(&mut self, key: &'static str, old: &BTreeSet<String>, new: &BTreeSet<String>, more: Effect) {
        self.set_unless(key, old, new, more, |_| false, |_| false);
    }

    /// The same, where a statement may have no effect beside what else the other policy, or its own, says.
    fn set_unless(
        &mut self,
        key: &'static str,
        old: &BTreeSet<String>,
        new: &BTreeSet<String>,
        more: Effect,
        idle_when_added: impl Fn(&str) -> bool,
        idle_when_removed: impl Fn(&str) -> bool,
    ) {
        let effect = |idle: bool, effect: Effect| if idle { Effect::Changed } else { effect };
        for what in new.difference(old) {
            self.say(key, effect(idle_when_added(what), more), Change::Added(what.clone()));
        }
        for what in old.difference(new) {
            self.say(key, effect(idle_when_removed(what), more.mirrored()), Change::Removed(what.clone()));
        }
    }

    fn replaced(&mut self, key: &'static str, old: &str, new: &str, effect: Effect) {
        if old != new {
            self.say(key, effect, Change::Replaced { from: old.to_owned(), to: new.to_owned() });
        }
    }

    /// `more` is what a higher one means.
    fn ordered<T: PartialOrd>(&mut self, key: &'static str, old: T, new: T, show: impl Fn(&T) -> String, more: Effect) {
        let effect = if new > old { more } else { more.mirrored() };
        self.replaced(key, &show(&old), &show(&new), effect);
    }

    fn lifetimes(&mut self, old: Lifetimes, new: Lifetimes) {
        let Lifetimes { lease, provisional, context } = new;
        let seconds = |time: &std::time::Duration| format!("{time:?}");
        self.ordered("lease.duration", old.lease, lease, seconds, Effect::Gains);
        self.ordered("lease.provisional", old.provisional, provisional, seconds, Effect::Gains);
        self.ordered("lease.context", old.context, context, seconds, Effect::Gains);
    }

    /// Of something that only one of the policies has: what it demands takes nothing from anybody, and what it demanded
    /// gives nothing.
    fn one_sided(mut self, added: bool) -> Vec<Line> {
        for line in &mut self.found {
            if if added { line.effect.narrows() } else { line.effect.widens() } {
                line.effect = Effect::Changed;
            }
        }
        self.found
    }

    /// As [`Lines::one_sided`] where only one has it, else as found.
    fn of_both(self, old: bool, new: bool) -> Vec<Line> {
        if old && new { self.found } else { self.one_sided(new) }
    }
}

fn texts<T: ToString>(set: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    set.into_iter().map(|one| one.to_string()).collect()
}
