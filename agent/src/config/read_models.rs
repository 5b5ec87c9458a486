//! `[models]`, `[approvers]` and `[labels]`: what registered models may come from, what an alias asks of a version, who approves,
//! which labels data has.

use std::collections::{BTreeMap, BTreeSet};

use super::public_key::public_key;
use super::reader::{At, Section};
use crate::decision::models::{AliasRule, Better, ModelRule, Models, Threshold, UNKNOWN};
use crate::host::digest::unhex;
use crate::identity::ids::{Label, LocalName};

/// The rules, with the places of the scopes, roles and approvers that they name.
#[derive(Default)]
pub(super) struct PlacedModels {
    pub(super) models: Models,
    pub(super) scopes: Vec<At<LocalName>>,
    pub(super) roles: Vec<At<LocalName>>,
    /// The labels of tables.
    pub(super) labels: Vec<At<Label>>,
    pub(super) approvers: Vec<At<LocalName>>,
}

pub(super) fn models(rules: Option<Section<'_>>, keys: Option<Section<'_>>, labels: Option<Section<'_>>) -> PlacedModels {
    let mut placed = PlacedModels::default();
    placed.models.approvers = keys.map(approvers).unwrap_or_default();
    for (name, body) in rules.map(|section| section.named()).unwrap_or_default() {
        if name.value.trim_end_matches('*').contains('*') || name.value.ends_with("**") {
            body.reader().error(name.span.clone(), "`*` stands at the end of a name, for all that begin so", "");
        }
        let rule = model(body, &mut placed);
        placed.models.rules.insert(name.value, rule);
    }
    if let Some(section) = labels {
        placed.models.tables = section.table("tables").map(|section| of_tables(section, &mut placed.labels)).unwrap_or_default();
        placed.models.paths = section.table("paths").map(of_paths).unwrap_or_default();
        section.finish();
    }
    placed
}

/// Each has a key of its own: one that stands under two names would approve twice.
fn approvers(section: Section<'_>) -> BTreeMap<LocalName, [u8; 32]> {
    let mut found: BTreeMap<LocalName, [u8; 32]> = BTreeMap::new();
    for (name, body) in section.named() {
        let name = body.convert::<LocalName>(&name);
        let text = body.need_text("key");
        let span = text.as_ref().map_or(body.span.clone(), |text| text.span.clone());
        let key = text.and_then(|text| public_key(&body, "key", text));
        if let (Some(name), Some(key)) = (name, key) {
            if let Some((other, _)) = found.iter().find(|(_, known)| **known == key) {
                body.reader().error(span, format!("`{other}` and `{}` have one key: it would approve twice", name.value), "");
            }
            found.insert(name.value, key);
        }
        body.finish();
    }
    found
}

fn model(section: Section<'_>, placed: &mut PlacedModels) -> ModelRule {
    let scopes = section.need_list::<LocalName>("trained-in");
    let mut policies = BTreeSet::new();
    for text in section.texts("policies") {
        if unhex(text.value.as_bytes()).is_none() {
            section.reader().error(
                text.span,
                "a policy is named by its SHA-256: 64 of 0-9 and a-f",
                "`longhorn policy check` prints it",
            );
        } else {
            policies.insert(text.value);
        }
    }
    let mut aliases = BTreeMap::new();
    for (name, body) in section.table("aliases").map(|section| section.named()).unwrap_or_default() {
        let reader = body.reader();
        let rule = alias(body, placed);
        if name.value.eq_ignore_ascii_case("serving") && rule.metrics.iter().any(|metric| metric.keeps.is_some()) {
            let hint = "say `at-least` or `at-most`";
            reader.error(
                name.span.clone(),
                "which version an endpoint would replace nobody says: `keeps` would ask nothing",
                hint,
            );
        }
        // The registry keeps two aliases apart that differ in case; a policy does not.
        if aliases.insert(name.value.to_lowercase(), rule).is_some() {
            reader.error(name.span, "there are two rules for this alias: case makes no difference here", "");
        }
    }
    section.finish();
    placed.scopes.extend(scopes.iter().cloned());
    ModelRule { scopes: values(scopes), policies, aliases }
}

fn alias(section: Section<'_>, placed: &mut PlacedModels) -> AliasRule {
    let roles = section.need_list::<LocalName>("promoted-by");
    let four_eyes = section.need_boolean("four-eyes");
    let mut clearance = BTreeSet::new();
    for text in section.texts("clearance") {
        if text.value == UNKNOWN || section.convert::<Label>(&text).is_some() {
            clearance.insert(text.value);
        }
    }
    let metrics = section.tables("metrics").into_iter().filter_map(threshold).collect();
    section.refuse_empty("approved-by");
    let approvers = section.list::<LocalName>("approved-by");
    placed.approvers.extend(approvers.iter().cloned());
    let approved_by = values(approvers);
    let approvals = approvals(&section, approved_by.len());
    section.finish();
    placed.roles.extend(roles.iter().cloned());
    AliasRule { roles: values(roles), four_eyes: four_eyes.unwrap_or(true), approved_by, approvals, clearance, metrics }
}

/// How many of `listed` approvers must have signed: one, where nothing is said.
fn approvals(section: &Section<'_>, listed: usize) -> usize {
    let Some(At { value, span }) = section.number("approvals") else { return listed.min(1) };
    let asked = usize::try_from(value).unwrap_or(usize::MAX);
    if asked == 0 || asked > listed {
        let message = match (asked, listed) {
            (_, 0) => "nobody is named in `approved-by`".to_owned(),
            (0, _) => "no approval at all: leave `approved-by` out as well".to_owned(),
            _ => format!("`approved-by` names {listed}: {asked} of them cannot sign"),
        };
        section.reader().error(span, message, "`approvals` is from 1 to the number of names in `approved-by`");
    }
    asked
}

fn threshold(section: Section<'_>) -> Option<Threshold> {
    let name = section.need_text("name");
    let (at_least, at_most) = (section.float("at-least"), section.float("at-most"));
    let keeps = section.word("keeps", &[("higher", Better::Higher), ("lower", Better::Lower)]).map(|word| word.value);
    if at_least.is_none() && at_most.is_none() && keeps.is_none() {
        section.reader().error(
            section.span.clone(),
            "a metric needs `at-least`, `at-most` or `keeps`: without, any value would do",
            "",
        );
    }
    section.finish();
    Some(Threshold { name: name?.value, at_least, at_most, keeps })
}

fn of_tables(section: Section<'_>, named: &mut Vec<At<Label>>) -> BTreeMap<String, BTreeSet<Label>> {
    let mut found = BTreeMap::new();
    for (name, labels) in section.named_lists() {
        named.extend(labels.iter().cloned());
        if name.value.split('.').count() != 3 || name.value.split('.').any(str::is_empty) {
            section.reader().error(name.span, "a table is named by catalog, schema and table", "such as \"main.gold.customers\"");
        }
        found.insert(name.value, values(labels));
    }
    found
}

fn of_paths(section: Section<'_>) -> BTreeMap<String, BTreeSet<Label>> {
    let mut found = BTreeMap::new();
    for (path, labels) in section.named_lists() {
        let plain = path.value.starts_with('/')
            && !path.value.ends_with('/')
            && !path.value.split('/').any(|part| matches!(part, "." | ".."));
        if !plain {
            section.reader().error(
                path.span,
                "a directory is named by its whole path, without `.`, `..` and a slash at its end",
                "",
            );
        }
        found.insert(path.value, values(labels));
    }
    found
}

fn values<T: Ord>(list: Vec<At<T>>) -> BTreeSet<T> {
    list.into_iter().map(|at| at.value).collect()
}
