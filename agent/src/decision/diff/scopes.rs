//! Roles, job scopes and compute policies: who comes under them, and what they may do.

use std::collections::{BTreeMap, BTreeSet};

use super::super::compute::{Compute, Language, Logs};
use super::super::policy::{ClusterSelector, JobSelector, Role, Scope};
use super::{Change, Effect, Line, Lines, Subject, texts};
use crate::identity::ids::LocalName;

pub(super) fn role(name: &LocalName, old: Option<&Role>, new: Option<&Role>) -> Vec<Line> {
    let mut lines = Lines::of(Subject::Role(name.clone()));
    let groups = |role: Option<&Role>| role.map(|Role { groups }| texts(groups)).unwrap_or_default();
    exists(&mut lines, "role", old.is_some(), new.is_some());
    lines.set("groups", &groups(old), &groups(new), Effect::Gains);
    lines.of_both(old.is_some(), new.is_some())
}

/// That only one policy has it at all.
pub(super) fn exists(lines: &mut Lines, key: &'static str, old: bool, new: bool) {
    match (old, new) {
        (false, true) => lines.say(key, Effect::Gains, Change::Added("itself".into())),
        (true, false) => lines.say(key, Effect::Loses, Change::Removed("itself".into())),
        _ => {}
    }
}

pub(super) fn scope(name: &LocalName, old: Option<&Scope>, new: Option<&Scope>) -> Vec<Line> {
    let mut lines = Lines::of(Subject::Scope(name.clone()));
    exists(&mut lines, "scope", old.is_some(), new.is_some());
    let (one, other) = (Said::of(old), Said::of(new));
    let Said { run_by, deny, may, environment, clearance, jobs, clusters } = &other;
    lines.set("run-by", &one.run_by, run_by, Effect::Gains);
    lines.set("deny", &one.deny, deny, Effect::Loses);
    lines.set("may", &one.may, may, Effect::Gains);
    lines.set("clearance", &one.clearance, clearance, Effect::Gains);
    lines.set("environment", &one.environment, environment, Effect::Changed);
    lines.set("clusters.policy-ids", &one.clusters, clusters, Effect::Gains);
    selector(&mut lines, &one.jobs, jobs);
    lines.of_both(old.is_some(), new.is_some())
}

/// What a scope says, as sets of statements; a scope that is not there says nothing.
#[derive(Default)]
struct Said {
    run_by: BTreeSet<String>,
    deny: BTreeSet<String>,
    may: BTreeSet<String>,
    environment: BTreeSet<String>,
    clearance: BTreeSet<String>,
    jobs: Vec<Condition>,
    clusters: BTreeSet<String>,
}

/// One condition on jobs. Every one that is given must hold, so one more of them is one more demand.
struct Condition {
    key: &'static str,
    words: BTreeSet<String>,
    /// Whether any one of its words is enough, or each must hold.
    any: bool,
}

impl Said {
    fn of(scope: Option<&Scope>) -> Self {
        let Some(Scope { jobs, clusters, run_by, deny, may, environment, clearance }) = scope else {
            return Self { jobs: conditions(&JobSelector::default()), ..Self::default() };
        };
        let ids = |ClusterSelector { policy_ids }: &ClusterSelector| texts(policy_ids);
        Self {
            run_by: texts(run_by),
            deny: texts(deny),
            may: may.iter().map(|permission| permission.word().to_owned()).collect(),
            environment: texts([environment]),
            clearance: texts(clearance),
            jobs: conditions(jobs.as_ref().unwrap_or(&JobSelector::default())),
            clusters: clusters.as_ref().map(ids).unwrap_or_default(),
        }
    }
}

fn conditions(selector: &JobSelector) -> Vec<Condition> {
    let JobSelector { ids, names, tags, run_as, locked, policy_ids } = selector;
    let any = |key, words| Condition { key, words, any: true };
    let every = |key, words| Condition { key, words, any: false };
    vec![
        any("jobs.ids", texts(ids)),
        any("jobs.names", names.clone()),
        any("jobs.run-as", run_as.clone()),
        any("jobs.policy-ids", texts(policy_ids)),
        every("jobs.tags", pairs(tags)),
        every("jobs.locked", locked.then(|| "true".to_owned()).into_iter().collect()),
    ]
}

fn pairs(tags: &BTreeMap<String, String>) -> BTreeSet<String> {
    tags.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

/// A selector without any condition selects nothing (`decide`), so the first condition opens what every further one narrows.
fn selector(lines: &mut Lines, old: &[Condition], new: &[Condition]) {
    let selects = |conditions: &[Condition]| conditions.iter().any(|condition| !condition.words.is_empty());
    let both = selects(old) && selects(new);
    for (old, new) in old.iter().zip(new) {
        let narrows = both && (!new.any || old.words.is_empty() || new.words.is_empty());
        lines.set(new.key, &old.words, &new.words, if narrows { Effect::Loses } else { Effect::Gains });
    }
}

pub(super) fn compute(name: &LocalName, old: Option<&Compute>, new: Option<&Compute>) -> Vec<Line> {
    let mut lines = Lines::of(Subject::Compute(name.clone()));
    exists(&mut lines, "compute", old.is_some(), new.is_some());
    for ((key, effect, old), (_, _, new)) in fixed(old).iter().zip(&fixed(new)) {
        lines.set(key, old, new, *effect);
    }
    lines.of_both(old.is_some(), new.is_some())
}

/// What a compute policy fixes, with what one more of it means.
fn fixed(compute: Option<&Compute>) -> Vec<(&'static str, Effect, BTreeSet<String>)> {
    let none = BTreeSet::new;
    let said = match compute {
        None => [none(), none(), none(), none(), none(), none(), none(), none()],
        Some(Compute { script, clusters, access, spark_versions, image, languages, logs, tags }) => {
            let (kind, path) = script.place();
            let logs = logs.as_ref().map(|Logs { kind, path, region }| match region {
                Some(region) => format!("{kind} {path} in {region}"),
                None => format!("{kind} {path}"),
            });
            [
                texts([format!("{kind} {path}")]),
                texts([clusters.word()]),
                texts([access.spellings()[0]]),
                spark_versions.clone(),
                texts(image),
                languages.iter().map(|language| Language::word(*language).to_owned()).collect(),
                texts(logs),
                pairs(tags),
            ]
        }
    };
    let keys = [
        ("script", Effect::Changed),
        ("clusters", Effect::Changed),
        ("access", Effect::Changed),
        ("spark-versions", Effect::Gains),
        // Without one any image is forbidden.
        ("image", Effect::Gains),
        ("languages", Effect::Gains),
        ("logs", Effect::Changed),
        ("tags", Effect::Changed),
    ];
    keys.into_iter().zip(said).map(|((key, effect), set)| (key, effect, set)).collect()
}
