//! A run as the registry shows it, and the digests of what it holds.

use std::collections::BTreeMap;

use longhorn_json::{Json, Object};

use super::shown::{Unread, pairs, parsed, text, value_of, within};
use super::statements::REGISTERED;
use crate::decision::models::decimal;
use crate::host::digest::sha256_hex;
use crate::unverified::Unverified;

/// A run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Its status in MLflow's word.
    pub status: String,
    /// Where its files are.
    pub artifacts: String,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// What it holds.
    pub digests: Digests,
    /// The last value of each metric.
    pub metrics: BTreeMap<String, f64>,
    /// The datasets that it says it used.
    pub datasets: Vec<Dataset>,
    /// The logged models that it says it used.
    pub parents: Vec<String>,
}

/// A dataset, as the client of a run names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// JSON about where it is.
    pub source: String,
}

/// SHA-256 (hex) over each part of a run. A list counts as the set of its items, and a number by its value: in which order and with
/// how many digits a server writes them says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digests {
    /// Parameters.
    pub params: String,
    /// The last value of each metric.
    pub metrics: String,
    /// Datasets and models that it used.
    pub inputs: String,
    /// Models that it made.
    pub outputs: String,
    /// Tags, but for Longhorn's own and the note that people write.
    pub tags: String,
}

impl Run {
    /// From the answer to `runs/get`.
    ///
    /// # Errors
    /// When it is no such answer.
    pub fn read(answer: &Unverified<Vec<u8>>) -> Result<Self, Unread> {
        let value = parsed(answer)?;
        let run = within(&value, &["run"])?;
        let info = within(&value, &["run", "info"])?;
        let data = run.get("data").and_then(Json::members);
        let part = |name: &'static str| data.and_then(|data| data.get(name)).map(Json::items).unwrap_or_default().iter();
        let noted = |tag: &&Json<'_>| {
            let key = tag.members().and_then(|tag| tag.get("key")).and_then(Json::text).unwrap_or_default();
            !key.starts_with("longhorn.") && key != "mlflow.note.content"
        };
        let used = |name: &str| run.get(name).into_iter();
        let inputs = run.get("inputs").and_then(Json::members);
        let input = |name: &str| inputs.and_then(|inputs| inputs.get(name)).map(Json::items).unwrap_or_default().iter();
        let dataset = |input: &Json<'_>| {
            let dataset = input.members()?.get("dataset")?.members()?;
            Some(Dataset { name: text(dataset, "name").unwrap_or_default(), source: text(dataset, "source").unwrap_or_default() })
        };
        Ok(Self {
            id: text(info, "run_id").ok_or(Unread("run"))?,
            // One that somebody deleted keeps its status, and counts for nothing.
            status: if deleted(info) { "DELETED".to_owned() } else { text(info, "status").unwrap_or_default() },
            artifacts: text(info, "artifact_uri").unwrap_or_default(),
            tags: pairs(data.and_then(|data| data.get("tags"))),
            digests: Digests {
                params: digest("params", part("params")),
                metrics: digest("metrics", part("metrics")),
                inputs: digest("inputs", used("inputs")),
                outputs: digest("outputs", used("outputs")),
                tags: digest("tags", part("tags").filter(noted)),
            },
            metrics: part("metrics").filter_map(metric).collect(),
            // One that cannot be read is one that nobody knows.
            datasets: input("dataset_inputs")
                .map(|input| dataset(input).unwrap_or(Dataset { name: String::new(), source: String::new() }))
                .collect(),
            parents: input("model_inputs").filter_map(|input| text(input.members()?, "model_id")).collect(),
        })
    }

    /// A tag's value.
    pub fn tag(&self, key: &str) -> Option<&str> {
        value_of(&self.tags, key)
    }

    /// The directories of its files of which versions were made, below its own.
    pub fn registered(&self) -> Vec<String> {
        self.tag(REGISTERED).and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default()
    }
}

fn deleted(info: &Object<'_>) -> bool {
    text(info, "lifecycle_stage").is_some_and(|stage| stage != "active")
}

/// A server of protobuf writes what is no number as a text.
fn metric(item: &Json<'_>) -> Option<(String, f64)> {
    let item = item.members()?;
    let value = match item.get("value")? {
        Json::Number(number) => number.parse().ok()?,
        Json::Text(_) => f64::NAN,
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => return None,
    };
    Some((text(item, "key")?, value))
}

fn digest<'j, 'a: 'j>(part: &str, items: impl Iterator<Item = &'j Json<'a>>) -> String {
    let mut out = format!("longhorn-run-v1 {part}\n").into_bytes();
    set(items, &mut out);
    sha256_hex(&out)
}

/// The items in the order of their own bytes, as a JSON list.
fn set<'j, 'a: 'j>(items: impl Iterator<Item = &'j Json<'a>>, out: &mut Vec<u8>) {
    let mut forms: Vec<Vec<u8>> = items
        .map(|item| {
            let mut form = Vec::new();
            canonical(item, &mut form);
            form
        })
        .collect();
    forms.sort_unstable();
    out.push(b'[');
    out.extend(forms.join(&b','));
    out.push(b']');
}

fn canonical(value: &Json<'_>, out: &mut Vec<u8>) {
    match value {
        Json::Number(number) => out.extend(plain(number).bytes()),
        Json::List(items) => set(items.iter(), out),
        Json::Object(members) => object(members, out),
        Json::Null | Json::Bool(_) | Json::Text(_) => value.write(out),
    }
}

fn object(members: &Object<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (number, (name, value)) in members.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        Json::Text(name.into()).write(out);
        out.push(b':');
        canonical(value, out);
    }
    out.push(b'}');
}

/// One text for one value: whole numbers as they are, others as the shortest that reads back to the same double.
fn plain(number: &str) -> String {
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() && number.contains(['.', 'e', 'E']) => decimal(value),
        _ => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(edit: impl Fn(&mut serde_json::Value)) -> Run {
        let mut run = serde_json::json!({"run": {
            "info": {"run_id": "0a1b", "status": "RUNNING", "artifact_uri": "mlflow-artifacts:/1/0a1b/artifacts"},
            "data": {
                "metrics": [{"key": "auc", "value": 0.91, "timestamp": 1, "step": 0}, {"key": "loss", "value": 0.1, "timestamp": 1, "step": 2}],
                "params": [{"key": "depth", "value": "3"}],
                "tags": [{"key": "team", "value": "risk"}, {"key": "longhorn.context", "value": "e30"}],
            },
            "inputs": {"dataset_inputs": [{"tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}], "dataset": {"name": "gold", "digest": "66ea1115"}}]},
            "outputs": {"model_outputs": [{"model_id": "m-1", "step": 0}]},
        }});
        edit(&mut run);
        Run::read(&Unverified::new(run.to_string().into_bytes())).unwrap()
    }

    fn changed(edit: impl Fn(&mut serde_json::Value)) -> Vec<&'static str> {
        let (one, other) = (run(|_| {}).digests, run(edit).digests);
        let parts = [
            ("params", one.params != other.params),
            ("metrics", one.metrics != other.metrics),
            ("inputs", one.inputs != other.inputs),
            ("outputs", one.outputs != other.outputs),
            ("tags", one.tags != other.tags),
        ];
        parts.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect()
    }

    #[test]
    fn each_digest_changes_with_its_part_alone() {
        for (edit, part) in [
            ((|run| run["run"]["data"]["params"][0]["value"] = "4".into()) as fn(&mut serde_json::Value), "params"),
            (|run| run["run"]["data"]["metrics"][0]["value"] = 0.92.into(), "metrics"),
            (|run| run["run"]["data"]["metrics"][0]["step"] = 1.into(), "metrics"),
            (|run| run["run"]["inputs"]["dataset_inputs"][0]["tags"][0]["value"] = "2".into(), "inputs"),
            (|run| run["run"]["inputs"] = serde_json::json!({}), "inputs"),
            (|run| run["run"]["outputs"]["model_outputs"][0]["model_id"] = "m-2".into(), "outputs"),
            (|run| run["run"]["data"]["tags"][0]["value"] = "fraud".into(), "tags"),
        ] {
            assert_eq!(changed(edit), [part]);
        }
    }

    #[test]
    fn what_says_nothing_changes_no_digest() {
        for edit in [
            (|run| run["run"]["info"]["status"] = "FINISHED".into()) as fn(&mut serde_json::Value),
            (|run| run["run"]["data"]["metrics"].as_array_mut().unwrap().reverse()),
            (|run| run["run"]["inputs"]["dataset_inputs"][0]["tags"].as_array_mut().unwrap().reverse()),
            (|run| run["run"]["data"]["tags"][1]["value"] = "other".into()),
            (|run| {
                let note = serde_json::json!({"key": "mlflow.note.content", "value": "looks good"});
                run["run"]["data"]["tags"].as_array_mut().unwrap().push(note);
            }),
        ] {
            assert_eq!(changed(edit), [""; 0]);
        }
        for (one, other) in [("0.91", "9.1e-1"), ("0.00001", "1e-05"), ("1.0", "1.00"), ("-0.5", "-5E-1")] {
            assert_eq!(plain(one), plain(other));
        }
        for (one, other) in [("1", "2"), ("9007199254740993", "9007199254740992"), ("0.1", "0.10000000000000002")] {
            assert_ne!(plain(one), plain(other));
        }
    }

    #[test]
    fn an_answer_without_a_run_is_none() {
        for text in ["", "{}", "[]", r#"{"run":{}}"#, r#"{"run":{"info":{}}}"#, r#"{"run":{"info":{"run_id":"a","run_id":"b"}}}"#]
        {
            assert!(Run::read(&Unverified::new(text.as_bytes().to_vec())).is_err(), "{text}");
        }
    }
}
