//! Clusters: one, and the list, which version 2.0 gives whole and 2.1 in pages.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::answer::{Outcome, Refusal, list};
use crate::asked::Asked;

/// How many a page has where nobody says (a guess: the types of the SDK name no number), and at most.
const PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

pub(crate) fn answer(asked: &Asked, version: &str, call: &str, clusters: &BTreeMap<String, Value>) -> Outcome {
    match (asked.method.as_str(), version, call) {
        ("GET", _, "get") => {
            let id = asked.parameter("cluster_id");
            clusters.get(id).cloned().ok_or_else(|| Refusal::invalid(format!("Cluster {id} does not exist")))
        }
        ("GET", "2.0", "list") => Ok(whole(asked, clusters)),
        ("GET", "2.1", "list") => page(asked, clusters),
        _ => Err(Refusal::unknown(&asked.path)),
    }
}

/// All, or those that notebooks or jobs may use: a cluster that does not say is for both.
fn whole(asked: &Asked, clusters: &BTreeMap<String, Value>) -> Value {
    let client = asked.parameter("can_use_client").to_ascii_lowercase();
    let usable = |one: &&Value| client.is_empty() || one["workload_type"]["clients"][&client] != false;
    list("clusters", ordered(clusters.values().filter(usable).collect()))
}

fn page(asked: &Asked, clusters: &BTreeMap<String, Value>) -> Outcome {
    let begin = match asked.parameter("page_token") {
        "" => 0,
        token => token
            .strip_prefix("from-")
            .and_then(|from| from.parse::<usize>().ok())
            .ok_or_else(|| Refusal::invalid("the page token is none of ours"))?,
    };
    // The newest SDK writes the booleans of a filter as Python does.
    let pinned = match asked.parameter("filter_by.is_pinned") {
        "" => None,
        "true" | "True" => Some(true),
        "false" | "False" => Some(false),
        other => return Err(Refusal::invalid(format!("is_pinned is true or false, not {other}"))),
    };
    let wanted = |one: &&Value| {
        let among = |filter: &str, member: &str| {
            asked.parameter(filter).is_empty() || asked.all(filter).any(|value| one[member] == value)
        };
        among("filter_by.cluster_sources", "cluster_source")
            && among("filter_by.cluster_states", "state")
            && among("filter_by.policy_id", "policy_id")
            && pinned.is_none_or(|pinned| is_pinned(one) == pinned)
    };
    let mut found = ordered(clusters.values().filter(wanted).collect());
    if asked.parameter("sort_by.field") == "CLUSTER_NAME" {
        found.sort_by_key(name);
    }
    if asked.parameter("sort_by.direction") == "DESC" {
        found.reverse();
    }
    let size = asked.number("page_size").unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
    let count = found.len();
    let mut page = list("clusters", found.into_iter().skip(begin).take(size).collect());
    // An empty token says that there is no such page.
    let token = |there: bool, from: usize| if there { format!("from-{from}") } else { String::new() };
    page["next_page_token"] = token(begin + size < count, begin + size).into();
    page["prev_page_token"] = token(begin > 0, begin.saturating_sub(size)).into();
    Ok(page)
}

/// The order of the API: by state, those that are alive first, then those that are pinned, then by name.
fn ordered(found: Vec<&Value>) -> Vec<Value> {
    let mut found: Vec<Value> = found.into_iter().cloned().collect();
    found.sort_by_key(|one| (matches!(one["state"].as_str(), Some("TERMINATED" | "ERROR")), !is_pinned(one), name(one)));
    found
}

fn is_pinned(cluster: &Value) -> bool {
    cluster["pinned_by_user_name"].is_string()
}

fn name(cluster: &Value) -> String {
    cluster["cluster_name"].as_str().unwrap_or_default().to_owned()
}
