//! What another policy would change for registered models, and about what data holds.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Change, Effect, Line, Lines, Subject, texts};
use crate::decision::catalog::Catalog;
use crate::decision::models::{AliasRule, Better, ModelRule, Models, Threshold, decimal};
use crate::identity::ids::{Label, LocalName};

pub(super) fn models(old: &Models, new: &Models) -> Vec<Line> {
    let Models { approvers, rules, tables, paths, catalog } = new;
    let mut lines = super::each(&old.rules, rules, |name, one, other| model(name, one, other));
    lines.extend(super::each(&old.approvers, approvers, approver));
    let mut labels = Lines::of(Subject::Labels);
    labelled(&mut labels, "labels.tables", &old.tables, tables);
    labelled(&mut labels, "labels.paths", &old.paths, paths);
    lines.extend(labels.found);
    lines.extend(unity_catalog(&old.catalog, catalog));
    lines
}

/// What the gate asks can only add labels: one question less is the weaker policy.
fn unity_catalog(old: &Catalog, new: &Catalog) -> Vec<Line> {
    let Catalog { label_tags, read_labels, warehouse, custodians } = new;
    let mut lines = Lines::of(Subject::Catalog);
    let word = |reads: bool| if reads { "yes" } else { "no" };
    let reads = if *read_labels { Effect::Stronger } else { Effect::Weaker };
    lines.replaced("read-labels", word(old.read_labels), word(*read_labels), reads);
    lines.set("label-tags", &texts(&old.label_tags), &texts(label_tags), Effect::Changed);
    // Another warehouse answers the same.
    match (&old.warehouse, warehouse) {
        (None, Some(new)) => lines.say("lineage-warehouse", Effect::Stronger, Change::Added(new.to_string())),
        (Some(old), None) => lines.say("lineage-warehouse", Effect::Weaker, Change::Removed(old.to_string())),
        (Some(old), Some(new)) => lines.replaced("lineage-warehouse", old.as_str(), new.as_str(), Effect::Changed),
        (None, None) => {}
    }
    lines.set("custodians", &texts(&old.custodians), &texts(custodians), Effect::Gains);
    lines.found
}

/// Keys: who has another one approves as well.
fn approver(name: &LocalName, old: Option<&[u8; 32]>, new: Option<&[u8; 32]>) -> Vec<Line> {
    let mut lines = Lines::of(Subject::Approver(name.clone()));
    let written = |key: Option<&[u8; 32]>| texts(key.map(|key| format!("ed25519:{}", STANDARD.encode(key))));
    lines.set("key", &written(old), &written(new), Effect::Weaker);
    lines.of_both(old.is_some(), new.is_some())
}

fn model(name: &str, old: Option<&ModelRule>, new: Option<&ModelRule>) -> Vec<Line> {
    let aliases = |rule: Option<&ModelRule>| rule.map(|rule| rule.aliases.clone()).unwrap_or_default();
    let mut lines = Lines::of(Subject::Model(name.to_owned()));
    let named = |rule: Option<&ModelRule>| {
        rule.map(|ModelRule { scopes, policies, aliases: _ }| (texts(scopes), policies.clone())).unwrap_or_default()
    };
    let ((from, earlier), (to, later)) = (named(old), named(new));
    lines.set("trained-in", &from, &to, Effect::Gains);
    lines.set("policies", &earlier, &later, Effect::Gains);
    let mut found = lines.of_both(old.is_some(), new.is_some());
    found.extend(super::each(&aliases(old), &aliases(new), |alias, one, other| rule(name, alias, one, other)));
    found
}

fn rule(model: &str, alias: &str, old: Option<&AliasRule>, new: Option<&AliasRule>) -> Vec<Line> {
    // The alias stands in each statement: a model has many.
    let each = |words: BTreeSet<String>| words.into_iter().map(|word| format!("{alias}: {word}")).collect::<BTreeSet<_>>();
    let parts = |rule: Option<&AliasRule>| {
        let Some(AliasRule { roles, four_eyes, approved_by: _, approvals: _, clearance, metrics }) = rule else {
            return Default::default();
        };
        let eyes = four_eyes.then(|| "yes".to_owned());
        (
            each(texts(roles)),
            each(clearance.clone()),
            each(eyes.into_iter().collect()),
            each(metrics.iter().map(threshold).collect()),
        )
    };
    let (old_parts, new_parts): ([BTreeSet<String>; 4], [BTreeSet<String>; 4]) = (parts(old).into(), parts(new).into());
    let mut lines = Lines::of(Subject::Model(model.to_owned()));
    let effects = [
        ("promoted-by", Effect::Gains),
        ("clearance", Effect::Gains),
        ("four-eyes", Effect::Stronger),
        ("metrics", Effect::Stronger),
    ];
    for ((key, more), (one, other)) in effects.into_iter().zip(old_parts.iter().zip(&new_parts)) {
        lines.set(key, one, other, more);
    }
    approvals(&mut lines, alias, old, new);
    lines.of_both(old.is_some(), new.is_some())
}

/// One more who may approve asks less of a version, unless nobody was asked before; one approval more asks more.
fn approvals(lines: &mut Lines, alias: &str, old: Option<&AliasRule>, new: Option<&AliasRule>) {
    let asked = |rule: Option<&AliasRule>| rule.map_or(0, |rule| rule.approvals);
    let named = |rule: Option<&AliasRule>| {
        let names = rule.into_iter().flat_map(|rule| &rule.approved_by);
        names.map(|name| format!("{alias}: {name}")).collect::<BTreeSet<_>>()
    };
    let (before, after) = (asked(old), asked(new));
    let (was_idle, is_idle) = (|_: &str| before == 0, |_: &str| after == 0);
    lines.set_unless("approved-by", &named(old), &named(new), Effect::Weaker, was_idle, is_idle);
    lines.ordered("approvals", before, after, |count| format!("{alias}: {count}"), Effect::Stronger);
}

fn threshold(metric: &Threshold) -> String {
    let Threshold { name, at_least, at_most, keeps } = metric;
    let mut words = vec![name.clone()];
    words.extend(at_least.map(|least| format!("at least {}", decimal(least))));
    words.extend(at_most.map(|most| format!("at most {}", decimal(most))));
    words.extend(keeps.map(|better| {
        match better {
            Better::Higher => "no lower than the one before",
            Better::Lower => "no higher than the one before",
        }
        .to_owned()
    }));
    words.join(", ")
}

/// What no table names is unknown, which is clear nowhere: a name that is added gives, and labels that are added take.
fn labelled(
    lines: &mut Lines,
    key: &'static str,
    old: &BTreeMap<String, BTreeSet<Label>>,
    new: &BTreeMap<String, BTreeSet<Label>>,
) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        match (old.get(name), new.get(name)) {
            (None, _) => lines.say(key, Effect::Weaker, Change::Added(name.clone())),
            (_, None) => lines.say(key, Effect::Stronger, Change::Removed(name.clone())),
            (Some(one), Some(other)) => {
                let each = |labels: &BTreeSet<Label>| labels.iter().map(|label| format!("{name}: {label}")).collect();
                lines.set(key, &each(one), &each(other), Effect::Stronger);
            }
        }
    }
}
