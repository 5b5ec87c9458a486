//! Labels of the data that a model comes from. What a job may touch counts as touched; what it says it used, and what it was seen using,
//! counts by the policy's tables and by tags of Unity Catalog; what neither names is `unknown`, which is clear nowhere unless an alias says
//! so.

use std::collections::{BTreeSet, HashMap};

use super::candidate::Part;
use super::catalogued::Catalogued;
use super::run::Dataset;
use crate::decision::models::{Models, UNKNOWN};
use crate::identity::ids::Label;

/// The labels of everything that these runs used.
pub fn labels<'p>(models: &Models, catalogued: &Catalogued, parts: impl Iterator<Item = &'p Part>) -> BTreeSet<String> {
    // The catalog takes names in any case: one that the policy has in another case is the same table.
    let mut tables: HashMap<String, BTreeSet<String>> = HashMap::new();
    for (name, labels) in &models.tables {
        tables.entry(name.to_lowercase()).or_default().extend(texts(labels));
    }
    let of_table = |table: &str| of_table(&tables, catalogued, table);
    let mut found = BTreeSet::new();
    let mut add = |labels: Option<BTreeSet<String>>| match labels {
        Some(labels) => found.extend(labels),
        None => _ = found.insert(UNKNOWN.to_owned()),
    };
    for part in parts {
        add(Some(part.context.iter().flat_map(|context| context.clearance.iter().cloned()).collect()));
        let datasets = part.run.as_ref().map(|run| &run.datasets[..]).unwrap_or_default();
        // Nobody trains on nothing: a run that names no data has not said what it used, whatever model it began with, and whatever of it
        // was seen.
        if datasets.is_empty() {
            add(None);
        }
        datasets.iter().for_each(|dataset| add(of(models, dataset, of_table)));
        catalogued.seen_by(part).iter().for_each(|table| add(of_table(table)));
    }
    found
}

/// By the source that the client names: a table of the catalog, or a file.
fn of(models: &Models, dataset: &Dataset, of_table: impl Fn(&str) -> Option<BTreeSet<String>>) -> Option<BTreeSet<String>> {
    match named(dataset)? {
        Named::Table(table) => of_table(&table),
        Named::Path(path) => models.of_path(local(&path)).map(texts),
    }
}

/// By the policy's table and by tags, together. A table without tags is not thereby known.
fn of_table(tables: &HashMap<String, BTreeSet<String>>, catalogued: &Catalogued, table: &str) -> Option<BTreeSet<String>> {
    let tags = catalogued.tables.get(table).cloned().flatten().filter(|labels| !labels.is_empty());
    match (tables.get(&table.to_lowercase()).cloned(), tags) {
        (None, None) => None,
        (told, tags) => Some(told.into_iter().chain(tags).flatten().collect()),
    }
}

fn texts(labels: &BTreeSet<Label>) -> BTreeSet<String> {
    labels.iter().map(|label| label.as_str().to_owned()).collect()
}

/// What a client names as its source.
enum Named {
    Table(String),
    Path(String),
}

fn named(dataset: &Dataset) -> Option<Named> {
    let source: serde_json::Value = serde_json::from_str(&dataset.source).ok()?;
    let text = |name: &str| source.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    match (text("delta_table_name").or(text("table_name")), text("uri").or(text("path"))) {
        (Some(table), None) => Some(Named::Table(table)),
        (None, Some(path)) => Some(Named::Path(path)),
        // Both, or neither: not said what it is.
        _ => None,
    }
}

/// The table that a dataset is, where it is one.
pub(super) fn table_of(dataset: &Dataset) -> Option<String> {
    match named(dataset)? {
        Named::Table(table) => Some(table),
        Named::Path(_) => None,
    }
}

/// A path as the node has it.
fn local(path: &str) -> &str {
    let path = path.strip_prefix("file://").unwrap_or(path);
    match path.strip_prefix("dbfs:") {
        Some(volume) if volume.starts_with("/Volumes/") => volume,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::run::Run;
    use super::*;

    fn run(datasets: &[&str], parents: &[&str]) -> Part {
        let datasets = datasets.iter().map(|source| Dataset { name: "d".into(), source: (*source).to_owned() }).collect();
        let parents = parents.iter().map(|id| (*id).to_owned()).collect();
        Part { run: Some(Run { datasets, parents, ..Run::default() }), ..Part::default() }
    }

    #[test]
    fn data_has_the_labels_of_its_table_or_directory_and_what_nobody_named_is_unknown() {
        let set = |labels: &[&str]| labels.iter().map(|label| Label::try_from(*label).unwrap()).collect::<BTreeSet<_>>();
        let models = Models {
            approvers: BTreeMap::new(),
            rules: BTreeMap::new(),
            tables: [("main.gold.customers".into(), set(&["pii"])), ("main.gold.products".into(), set(&[]))].into(),
            paths: [("/Volumes/main/health".into(), set(&["health", "pii"]))].into(),
            ..Models::default()
        };
        for (datasets, parents, expected) in [
            (&[][..], &[][..], &["unknown"][..]),
            (&[r#"{"delta_table_name":"main.gold.customers","delta_table_version":3}"#], &[], &["pii"]),
            (&[r#"{"table_name":"main.gold.products"}"#], &[], &[]),
            (&[r#"{"table_name":"main.gold.products"}"#, r#"{"uri":"/Volumes/main/health/a.csv"}"#], &[], &["health", "pii"]),
            (&[r#"{"uri":"dbfs:/Volumes/main/health/a.csv"}"#], &[], &["health", "pii"]),
            (&[r#"{"uri":"file:///Volumes/main/health/a.csv"}"#], &[], &["health", "pii"]),
            (&[r#"{"uri":"/Volumes/main/gold/../health/a.csv"}"#], &[], &["unknown"]),
            (&[r#"{"table_name":"main.gold.other"}"#], &[], &["unknown"]),
            (&[r#"{"table_name":"Main.GOLD.customers"}"#], &[], &["pii"]),
            (&[r#"{"table_name":"main.gold.products","uri":"/Volumes/main/health/a.csv"}"#], &[], &["unknown"]),
            (&[r#"{"tags":{}}"#], &[], &["unknown"]),
            (&["no JSON"], &[], &["unknown"]),
            // What a parent used says nothing of what came after it.
            (&[], &["m-1"], &["unknown"]),
        ] {
            let part = run(datasets, parents);
            let found: Vec<String> = labels(&models, &Catalogued::default(), [&part].into_iter()).into_iter().collect();
            assert_eq!(found, expected, "{datasets:?}");
        }
    }
}
