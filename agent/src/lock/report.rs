//! What was enforced, as a value: never what was wished for.

use serde::Serialize;

/// The mount namespace of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountReport {
    /// Entered here.
    Entered,
    /// The parent was in it.
    Inherited,
    /// Not part of this lock.
    Absent,
}

/// What a launch enforced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// `full` or `degraded`.
    pub strength: &'static str,
    /// The Landlock ABI in force; 0: none.
    pub landlock: u32,
    /// Rules that took effect.
    pub rules: usize,
    /// Rules whose path does not exist now.
    pub missing: Vec<String>,
    /// The mount namespace.
    pub mount: MountReport,
    /// Capabilities that are left, hex.
    pub capabilities: String,
    /// Whether the capability cut took effect.
    pub capabilities_cut: bool,
    /// Instructions of the filter in force; 0: none.
    pub filter: usize,
}

impl Report {
    /// One line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and lists of them")
    }
}
