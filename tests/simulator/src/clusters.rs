//! Clusters.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::answer::{Outcome, Refusal};
use crate::asked::Asked;

pub(crate) fn answer(asked: &Asked, call: &str, clusters: &BTreeMap<String, Value>) -> Outcome {
    match (asked.method.as_str(), call) {
        ("GET", "get") => {
            let id = asked.parameter("cluster_id");
            clusters.get(id).cloned().ok_or_else(|| Refusal::invalid(format!("Cluster {id} does not exist")))
        }
        _ => Err(Refusal::unknown(&asked.path)),
    }
}
