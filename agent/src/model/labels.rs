//! Labels of the data that a model comes from. What a job may touch counts as touched; what it says it used counts by the policy's
//! tables; what no table names is `unknown`, which is clear nowhere unless an alias says so.

use std::collections::BTreeSet;

use super::candidate::Part;
use super::run::Dataset;
use crate::decision::models::{Models, UNKNOWN};

/// The labels of everything that these runs used.
pub fn labels<'p>(models: &Models, parts: impl Iterator<Item = &'p Part>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in parts {
        found.extend(part.context.iter().flat_map(|context| context.clearance.iter().cloned()));
        let datasets = part.run.as_ref().map(|run| &run.datasets[..]).unwrap_or_default();
        // Nobody trains on nothing: a run that names no data has not said what it used, whatever model it began with.
        if datasets.is_empty() {
            found.insert(UNKNOWN.to_owned());
        }
        for dataset in datasets {
            match of(models, dataset) {
                Some(labels) => found.extend(labels),
                None => _ = found.insert(UNKNOWN.to_owned()),
            }
        }
    }
    found
}

/// By the source that the client names: a table of the catalog, or a file.
fn of(models: &Models, dataset: &Dataset) -> Option<BTreeSet<String>> {
    let source: serde_json::Value = serde_json::from_str(&dataset.source).ok()?;
    let text = |name: &str| source.get(name).and_then(serde_json::Value::as_str);
    let labels = match (text("delta_table_name").or(text("table_name")), text("uri").or(text("path"))) {
        (Some(table), None) => models.of_table(table),
        (None, Some(path)) => models.of_path(local(path)),
        // Both, or neither: not said what it is.
        _ => None,
    };
    labels.map(|labels| labels.iter().map(|label| label.as_str().to_owned()).collect())
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
    use crate::identity::ids::Label;

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
            (&[r#"{"table_name":"main.gold.products","uri":"/Volumes/main/health/a.csv"}"#], &[], &["unknown"]),
            (&[r#"{"tags":{}}"#], &[], &["unknown"]),
            (&["no JSON"], &[], &["unknown"]),
            // What a parent used says nothing of what came after it.
            (&[], &["m-1"], &["unknown"]),
        ] {
            let part = run(datasets, parents);
            let found: Vec<String> = labels(&models, [&part].into_iter()).into_iter().collect();
            assert_eq!(found, expected, "{datasets:?}");
        }
    }
}
