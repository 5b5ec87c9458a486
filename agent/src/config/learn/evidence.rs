//! What the inputs of `policy learn` say: records of nodes, and traces. Both were written by others: what is no name and no
//! directory of a rule is counted, never repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::env_names::OWN_PREFIX;
use crate::decision::access::{Kind, Need, rule_for};
use crate::identity::ids::EnvName;

/// What a trace of `longhorn try --observe --json` begins with.
pub const TRACE: &str = "longhorn-trace-v1";

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Names that were removed, or would have been, with the launches that came with them.
    pub removed: BTreeMap<String, u64>,
    /// Names that got a pinned value instead of another one.
    pub overridden: BTreeMap<String, u64>,
    /// Directories: how often traced, and in how many logs sampled.
    pub places: BTreeMap<(Need, PathBuf), (u64, u64)>,
    logs: u64,
    traces: u64,
    launches: u64,
    outside: u64,
    unlisted: u64,
    nameless: u64,
    sampled: bool,
    full: bool,
    ended: bool,
}

impl Evidence {
    /// Takes in one log: its records, as JSON.
    pub fn log<'a>(&mut self, records: impl Iterator<Item = &'a Value>) {
        self.logs += 1;
        let mut sampled = BTreeSet::new();
        for record in records {
            match record["event"].as_str() {
                Some("launch.reported") => self.launch(record),
                Some("files.sampled") => {
                    self.sampled = true;
                    self.full |= record["ext"]["full"] == true;
                    self.ended |= record["ext"]["ended"] == true;
                    for said in texts(&record["ext"]["paths"]) {
                        let pair = said.split_once(' ').and_then(|(need, path)| self.place(need, path, Kind::Directory));
                        sampled.extend(pair);
                    }
                }
                _ => {}
            }
        }
        for pair in sampled {
            self.places.entry(pair).or_default().1 += 1;
        }
    }

    fn launch(&mut self, record: &Value) {
        let ext = &record["ext"];
        // Enforcing passes these through untouched: nothing is removed of what they came with.
        if ext["outcome"] == "passed" || ext["observed"]["within"] == false {
            self.outside += 1;
            return;
        }
        self.launches += 1;
        let env = &record["env"];
        let listed = [note(&mut self.removed, &env["removed"]), note(&mut self.overridden, &env["overridden"])];
        let said = [&env["n"], &env["pinned"]].map(|count| count.as_u64().unwrap_or(0));
        for (said, listed) in said.into_iter().zip(listed) {
            self.unlisted = self.unlisted.saturating_add(said.saturating_sub(listed));
        }
    }

    /// Takes in one trace; false when it is none.
    pub fn trace(&mut self, trace: &Value) -> bool {
        if trace["kind"] != TRACE {
            return false;
        }
        self.traces += 1;
        note(&mut self.removed, &trace["removed"]);
        note(&mut self.overridden, &trace["overridden"]);
        for file in trace["files"].as_array().into_iter().flatten() {
            let kind = if file["directory"] == true { Kind::Directory } else { Kind::File };
            let (need, path) = (file["need"].as_str().unwrap_or_default(), file["path"].as_str().unwrap_or_default());
            if let Some(pair) = self.place(need, path, kind) {
                let traced = &mut self.places.entry(pair).or_default().0;
                *traced = traced.saturating_add(file["count"].as_u64().unwrap_or(1));
            }
        }
        true
    }

    fn place(&mut self, need: &str, path: &str, kind: Kind) -> Option<(Need, PathBuf)> {
        let need = Need::ALL.into_iter().find(|known| known.word() == need);
        let plain = !path.chars().any(char::is_control);
        let found = need.zip(rule_for(Path::new(path), kind).filter(|_| plain));
        self.nameless += u64::from(found.is_none());
        found
    }

    /// In a sentence.
    pub(super) fn sentence(&self) -> String {
        format!("{} launches in {} logs, {} traces", self.launches, self.logs, self.traces)
    }

    /// What limits it.
    pub(super) fn notes(&self) -> Vec<String> {
        let rows = [
            (self.sampled, "directories of nodes are samples, taken now and then: never all that a job uses".to_owned()),
            (self.full, "a node saw more directories than it keeps".to_owned()),
            (self.ended, "a node's sampler ended before the node did".to_owned()),
            (self.traces > 0, "a trace shows what one command did beyond the environment that it was tried under".to_owned()),
            (self.outside > 0, format!("{} launches came from outside of the job's tree and do not count", self.outside)),
            (self.unlisted > 0, format!("{} names did not fit a record, or are no names", self.unlisted)),
            (self.nameless > 0, format!("{} accesses were to no directory that a rule should name", self.nameless)),
        ];
        rows.into_iter().filter(|(says, _)| *says).map(|(_, note)| note).collect()
    }
}

/// Counts each name once, and returns how many of the list are names at all.
fn note(into: &mut BTreeMap<String, u64>, list: &Value) -> u64 {
    let names: Vec<&str> = texts(list).filter(|name| EnvName::try_from(*name).is_ok()).collect();
    let distinct: BTreeSet<&str> = names.iter().copied().filter(|name| !name.starts_with(OWN_PREFIX)).collect();
    for name in distinct {
        *into.entry(name.to_owned()).or_default() += 1;
    }
    names.len() as u64
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
