//! Jobs and their runs.

use serde_json::Value;

use crate::answer::{Outcome, Refusal};
use crate::asked::Asked;
use crate::scenario::Scenario;

pub(crate) fn answer(asked: &Asked, call: &str, scenario: &Scenario) -> Outcome {
    let absent = |what: &str, id: &str| Refusal::invalid(format!("{what} {id} does not exist"));
    match (asked.method.as_str(), call) {
        ("GET", "get") => {
            let id = asked.parameter("job_id");
            scenario.jobs.get(id).cloned().ok_or_else(|| absent("Job", id))
        }
        ("GET", "runs/get") => {
            let id = asked.parameter("run_id");
            let run = scenario.runs.get(id).ok_or_else(|| absent("Run", id))?;
            Ok(page_of(run, asked.parameter("page_token")))
        }
        _ => Err(Refusal::unknown(&asked.path)),
    }
}

/// A run with one page of its tasks: 100, and where the next begins.
fn page_of(run: &Value, token: &str) -> Value {
    const PAGE: usize = 100;
    let begin: usize = token.strip_prefix("from-").and_then(|from| from.parse().ok()).unwrap_or(0);
    let tasks = run["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    let mut page = run.clone();
    if tasks.len() > PAGE {
        page["tasks"] = tasks.iter().skip(begin).take(PAGE).cloned().collect();
    }
    if begin + PAGE < tasks.len() {
        page["next_page_token"] = format!("from-{}", begin + PAGE).into();
    }
    page
}
