//! `[roles]` and `[scopes]`: who may run what. Each reference keeps its place, for the checks between the parts.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::{At, Section};
use crate::decision::permission::{PRESETS, Permission};
use crate::decision::policy::{ClusterSelector, JobSelector, Role, Scope};
use crate::identity::ids::{GroupName, LocalName, PrincipalName};

/// A role with the places of its parts.
pub(super) struct PlacedRole {
    pub(super) name: At<LocalName>,
    pub(super) groups: Vec<At<GroupName>>,
}

impl PlacedRole {
    pub(super) fn into_role(self) -> (LocalName, Role) {
        (self.name.value, Role { groups: values(self.groups) })
    }
}

/// A scope with the places of its parts.
pub(super) struct PlacedScope {
    pub(super) name: At<LocalName>,
    pub(super) scope: Scope,
    pub(super) roles: Vec<At<LocalName>>,
    pub(super) environment: At<LocalName>,
    /// Where `clearance` is, if the scope gives any.
    pub(super) clearance: Option<std::ops::Range<usize>>,
}

pub(super) fn roles(section: Section<'_>) -> Vec<PlacedRole> {
    let role = |(name, body): (At<String>, Section<'_>)| {
        let name = body.convert::<LocalName>(&name);
        let groups = body.need_list("groups");
        body.finish();
        Some(PlacedRole { name: name?, groups })
    };
    section.named().into_iter().filter_map(role).collect()
}

pub(super) fn scopes(section: Section<'_>) -> Vec<PlacedScope> {
    section.named().into_iter().filter_map(|(name, body)| scope(&name, body)).collect()
}

fn scope(name: &At<String>, section: Section<'_>) -> Option<PlacedScope> {
    let name = section.convert::<LocalName>(name);
    let jobs = section.table("jobs").map(jobs);
    let clusters = section.table("clusters").map(clusters);
    if jobs.is_none() && clusters.is_none() && section.place("jobs").or(section.place("clusters")).is_none() {
        section.reader().error(section.span.clone(), "a scope needs `jobs` or `clusters`: without, it never matches", "");
    }
    let run_by = section.need_list::<LocalName>("run-by");
    let deny = section.list::<LocalName>("deny");
    let may = permissions(&section);
    let environment = section.need_parsed("environment");
    let labels = section.list("clearance");
    let clearance = section.place("clearance").filter(|_| !labels.is_empty());
    section.finish();
    let roles = run_by.iter().chain(&deny).cloned().collect();
    let environment: At<LocalName> = environment?;
    let scope = Scope {
        jobs,
        clusters,
        run_by: values(run_by),
        deny: values(deny),
        may,
        environment: environment.value.clone(),
        clearance: values(labels),
    };
    Some(PlacedScope { name: name?, scope, roles, environment, clearance })
}

/// `may` word by word, and what `presets` stand for.
fn permissions(section: &Section<'_>) -> BTreeSet<Permission> {
    let known = Permission::ALL.iter().map(|permission| (permission.word(), *permission)).collect::<Vec<_>>();
    let mut may: BTreeSet<Permission> =
        section.need_texts("may").iter().filter_map(|text| one_of(section, text, "permission", &known)).collect();
    for text in section.texts("presets") {
        may.extend(one_of(section, &text, "preset", PRESETS).into_iter().flatten());
    }
    if let Some(span) = section.place("may").filter(|_| !may.is_empty() && !may.contains(&Permission::Run)) {
        section.reader().warning(span, "without `run` every job of this scope is refused", "");
    }
    may
}

fn one_of<T: Copy>(section: &Section<'_>, text: &At<String>, kind: &str, known: &[(&str, T)]) -> Option<T> {
    let found = known.iter().find(|(word, _)| *word == text.value);
    if found.is_none() {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let hint = format!("known: {}", words.join(", "));
        section.reader().error(text.span.clone(), format!("unknown {kind} `{}`", text.value), hint);
    }
    found.map(|(_, value)| *value)
}

/// Every condition that is given must hold, so one that is given and empty is refused: read as 'no condition' it would
/// match more than its author meant.
fn jobs(section: Section<'_>) -> JobSelector {
    for key in ["ids", "names", "tags", "run-as", "policy-ids"] {
        section.refuse_empty(key);
    }
    let found = JobSelector {
        ids: values(section.list("ids")),
        names: section.texts("names").into_iter().filter_map(|name| not_blank(&section, name)).collect(),
        tags: section.table("tags").map(tags).unwrap_or_default(),
        run_as: section.list::<PrincipalName>("run-as").into_iter().map(|at| at.value.as_str().to_owned()).collect(),
        locked: locked(&section),
        policy_ids: values(section.list("policy-ids")),
    };
    let conditions = ["ids", "names", "tags", "run-as", "locked", "policy-ids"];
    if conditions.iter().all(|key| section.place(key).is_none()) {
        section.reader().error(
            section.span.clone(),
            "`jobs` selects nothing",
            "name ids, run-as, names, tags, locked or policy-ids",
        );
    }
    section.finish();
    found
}

fn locked(section: &Section<'_>) -> bool {
    let flag = section.boolean("locked");
    if flag == Some(false) {
        // It would read as 'only jobs that are not locked', which no rule here means.
        let span = section.place("locked").unwrap_or(section.span.clone());
        section.reader().error(span, "`locked = false` says nothing", "leave it out; `locked = true` demands a UI_LOCKED bundle");
    }
    flag.unwrap_or(false)
}

fn tags(section: Section<'_>) -> BTreeMap<String, String> {
    let rows = section.named_texts().into_iter();
    rows.filter_map(|(key, value)| Some((not_blank(&section, key)?, value.value))).collect()
}

fn not_blank(section: &Section<'_>, text: At<String>) -> Option<String> {
    if text.value.trim().is_empty() {
        section.reader().error(text.span, "a blank name would match what has no name", "");
        return None;
    }
    Some(text.value)
}

fn clusters(section: Section<'_>) -> ClusterSelector {
    let policy_ids = values(section.need_list("policy-ids"));
    section.finish();
    ClusterSelector { policy_ids }
}

fn values<T: Ord>(list: Vec<At<T>>) -> BTreeSet<T> {
    list.into_iter().map(|at| at.value).collect()
}
