//! What platform engineers paste into the workspace: the definition of a compute policy, the list of allowed init scripts,
//! both as Terraform. A definition is a map from an attribute's path to one rule (Databricks: compute policy reference).

pub mod allow_list;
mod closed;
mod terraform;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::decision::compute::{ClusterKind, Compute};
pub use closed::NOT_CLOSED;
pub use terraform::terraform;

/// A rule for one attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Rule {
    /// It has this value.
    Fixed {
        /// The value.
        value: Value,
        /// Whether the form leaves it out.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        hidden: bool,
    },
    /// It has none.
    Forbidden {
        /// Whether the form leaves it out.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        hidden: bool,
    },
    /// It has one of these values.
    #[serde(rename_all = "camelCase")]
    Allowlist {
        /// The values.
        values: BTreeSet<String>,
        /// What the form begins with.
        #[serde(skip_serializing_if = "Option::is_none")]
        default_value: Option<String>,
        /// Whether it may be left out.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_optional: bool,
    },
}

/// A fixed value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Text.
    Text(String),
    /// A switch.
    Flag(bool),
}

/// Rules by the path of their attribute.
pub type Definition = BTreeMap<String, Rule>;

/// The structs that an init script can be given in (`InitScriptInfo` of the Clusters API).
const SCRIPT_KINDS: [&str; 7] = ["abfss", "dbfs", "file", "gcs", "s3", "volumes", "workspace"];

/// The definition of a compute policy.
pub fn definition(compute: &Compute) -> Definition {
    let mut rules = Definition::new();
    script(compute, &mut rules);
    let mut add = |path: &str, rule| rules.insert(path.to_owned(), rule);
    add("cluster_type", fixed(compute.clusters.word(), false));
    for (client, of) in [("jobs", ClusterKind::Job), ("notebooks", ClusterKind::AllPurpose)] {
        let rule = Rule::Fixed { value: Value::Flag(compute.clusters == of), hidden: true };
        add(&format!("workload_type.clients.{client}"), rule);
    }
    let spellings = compute.access.spellings();
    add("data_security_mode", one_of(spellings.map(str::to_owned).into(), Some(spellings[0].to_owned()), false));
    add("spark_version", runtimes(&compute.spark_versions));
    match &compute.image {
        Some(image) => {
            add("docker_image.url", fixed(image, false));
        }
        None => {
            for part in ["url", "basic_auth.username", "basic_auth.password"] {
                add(&format!("docker_image.{part}"), FORBIDDEN);
            }
        }
    }
    // Whoever has such a key is `ubuntu` on every node.
    add("ssh_public_keys.*", FORBIDDEN);
    add("spark_env_vars.DISABLE_WEB_TERMINAL", fixed("true", true));
    let languages: Vec<&str> = compute.languages.iter().map(|language| language.word()).collect();
    add("spark_conf.spark.databricks.repl.allowedLanguages", fixed(&languages.join(","), false));
    for key in closed::SPARK_CONF {
        add(&format!("spark_conf.{key}"), FORBIDDEN);
    }
    for place in ["spark_env_vars", "spark_conf.spark.executorEnv"] {
        for name in closed::VARIABLES {
            add(&format!("{place}.{name}"), FORBIDDEN);
        }
        add(&format!("{place}.PYSPARK_PYTHON"), one_of([closed::INTERPRETER.to_owned()].into(), None, true));
    }
    if let Some(logs) = &compute.logs {
        add("cluster_log_conf.type", fixed(logs.kind, false));
        add("cluster_log_conf.path", fixed(&logs.path, false));
        if let Some(region) = &logs.region {
            add("cluster_log_conf.region", fixed(region, false));
        }
    }
    for (tag, value) in &compute.tags {
        add(&format!("custom_tags.{tag}"), fixed(value, false));
    }
    rules
}

/// As JSON for people.
pub fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("text, switches, and maps from text")
}

/// Ours is the first script, and there is no other: one after it could undo it. A rule with `*` holds for each element that
/// has none of its own.
fn script(compute: &Compute, rules: &mut Definition) {
    for kind in SCRIPT_KINDS {
        rules.insert(format!("init_scripts.*.{kind}.destination"), FORBIDDEN);
    }
    rules.insert("init_scripts.*.s3.region".into(), FORBIDDEN);
    let (kind, destination) = compute.script.place();
    rules.insert(format!("init_scripts.0.{kind}.destination"), fixed(destination, false));
}

fn runtimes(versions: &BTreeSet<String>) -> Rule {
    match (versions.len(), versions.last()) {
        (1, Some(only)) => fixed(only, false),
        (_, last) => one_of(versions.clone(), last.cloned(), false),
    }
}

const FORBIDDEN: Rule = Rule::Forbidden { hidden: true };

fn fixed(value: &str, hidden: bool) -> Rule {
    Rule::Fixed { value: Value::Text(value.to_owned()), hidden }
}

fn one_of(values: BTreeSet<String>, default_value: Option<String>, is_optional: bool) -> Rule {
    Rule::Allowlist { values, default_value, is_optional }
}
