//! The same for Terraform's provider of Databricks.

use serde::Serialize;

use super::{definition, pretty};
use crate::decision::compute::{Access, Compute, Script};

/// A compute policy and, where the access mode asks for one, the entry in the list of allowed init scripts.
pub fn terraform(name: &str, compute: &Compute) -> String {
    let mut text = format!(
        "resource \"databricks_cluster_policy\" \"{name}\" {{\n  name       = \"longhorn-{name}\"\n  definition = jsonencode({})\n}}\n",
        expression(&definition(compute)).replace('\n', "\n  ")
    );
    if let (Access::Standard, Script::Volume(path)) = (compute.access, &compute.script) {
        text.push_str(&format!(
            "\n# This resource is the whole list: every script that is allowed already must stand here, too.\n\
             resource \"databricks_artifact_allowlist\" \"init_scripts\" {{\n  artifact_type = \"INIT_SCRIPT\"\n  artifact_matcher {{\n    \
             artifact   = {}\n    match_type = \"PREFIX_MATCH\"\n  }}\n}}\n",
            expression(path)
        ));
    }
    text
}

/// JSON is an expression of Terraform's language, but for templates in its strings: what begins one is written by its number,
/// which both languages read (HCL Native Syntax Specification, "Template Literals").
fn expression(value: &impl Serialize) -> String {
    pretty(value).replace('$', "\\u0024").replace('%', "\\u0025")
}
