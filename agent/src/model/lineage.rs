//! The lineage of a version as Unity Catalog hears it: which job made it, and of which tables. Clients say so in a header of their own;
//! here it is made of what was attested, and of what the run is known to have used.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::run::Dataset;

/// The header's name.
pub const LINEAGE: &str = "x-databricks-lineage-identifier";
/// The catalog takes no more tables.
const MOST_TABLES: usize = 10;
/// A table's name and id are no longer, in bytes: three levels of 255.
const MOST_NAME: usize = 767;
/// All of the JSON, in bytes: servers take heads of 8 KiB.
const MOST: usize = 4096;

/// The header's value for a job's run and the datasets that it used: base64 of JSON. Tables that cannot be named whole, and those beyond
/// the tenth, are left out.
pub fn lineage(job: &str, run: &str, used: &[Dataset]) -> String {
    let of = |tables: &[Value]| {
        let mut said = json!({ "entities": [{ "job": { "id": job, "job_run_id": run } }] });
        if !tables.is_empty() {
            said["lineages"] = json!([{ "source_securables": tables }]);
        }
        said.to_string()
    };
    let mut tables = Vec::new();
    for table in used.iter().filter_map(table) {
        if tables.len() == MOST_TABLES {
            break;
        }
        if tables.contains(&table) {
            continue;
        }
        tables.push(table);
        if of(&tables).len() > MOST {
            tables.pop();
        }
    }
    STANDARD.encode(of(&tables))
}

/// A table of the catalog: a dataset that names one by name and id.
fn table(dataset: &Dataset) -> Option<Value> {
    let source: Value = serde_json::from_str(&dataset.source).ok()?;
    let text = |name: &str| {
        let text = source.get(name).and_then(Value::as_str)?;
        let fits = !text.is_empty() && text.len() <= MOST_NAME && !text.contains(char::is_control);
        fits.then(|| text.to_owned())
    };
    Some(json!({ "table": { "name": text("delta_table_name")?, "table_id": text("delta_table_id")? } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(sources: &[&str]) -> Value {
        let used: Vec<Dataset> =
            sources.iter().map(|source| Dataset { name: "d".into(), source: (*source).to_owned() }).collect();
        serde_json::from_slice(&STANDARD.decode(lineage("7", "8", &used)).unwrap()).unwrap()
    }

    fn source(name: &str) -> String {
        json!({ "delta_table_name": name, "delta_table_id": "id", "delta_table_version": 3 }).to_string()
    }

    #[test]
    fn lineage_names_the_attested_job_and_the_tables_that_its_run_used() {
        let job = json!([{ "job": { "id": "7", "job_run_id": "8" } }]);
        assert_eq!(said(&[]), json!({ "entities": job }));
        let table = json!({ "table": { "name": "main.gold.orders", "table_id": "id" } });
        assert_eq!(
            said(&[&source("main.gold.orders"), &source("main.gold.orders")]),
            json!({ "entities": job, "lineages": [{ "source_securables": [table] }] })
        );
        // What is no table of the catalog, or none that can be named.
        for other in [
            r#"{"path":"/Volumes/main/gold"}"#,
            r#"{"delta_table_name":"main.gold.orders"}"#,
            r#"{"delta_table_name":7,"delta_table_id":"id"}"#,
            "no JSON",
            &source("a\nb"),
            &source(&"x".repeat(768)),
        ] {
            assert_eq!(said(&[other]), json!({ "entities": job }), "{other}");
        }
    }

    #[test]
    fn lineage_has_at_most_ten_tables_and_fits_into_a_header() {
        let many: Vec<String> = (0..12).map(|number| source(&format!("main.gold.t{number}"))).collect();
        let tables = |value: &Value| value["lineages"][0]["source_securables"].as_array().unwrap().len();
        assert_eq!(tables(&said(&many.iter().map(String::as_str).collect::<Vec<_>>())), 10);
        let long: Vec<String> = (0..10).map(|number| source(&format!("{number}{}", "x".repeat(700)))).collect();
        let said = said(&long.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(tables(&said) == 5 && said.to_string().len() <= MOST, "{}", tables(&said));
    }
}
