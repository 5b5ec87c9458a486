//! `[compute.NAME]`: what a compute policy of the workspace fixes for the clusters that Longhorn runs on. Nodes do not read
//! it; `longhorn policy render` does.

use std::collections::{BTreeMap, BTreeSet};

/// One compute policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compute {
    /// Where the init script lies.
    pub script: Script,
    /// Which clusters it makes.
    pub clusters: ClusterKind,
    /// Who shares a cluster.
    pub access: Access,
    /// Runtimes: any of these.
    pub spark_versions: BTreeSet<String>,
    /// A container image; none forbids any.
    pub image: Option<String>,
    /// Languages that a notebook may run.
    pub languages: BTreeSet<Language>,
    /// Where the platform delivers logs; none leaves it to whoever makes a cluster.
    pub logs: Option<Logs>,
    /// Tags that every cluster has.
    pub tags: BTreeMap<String, String>,
}

/// Where the init script lies. Its storage is the trust root: whoever may write there decides what runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// In a Unity Catalog volume.
    Volume(String),
    /// In a workspace folder.
    Workspace(String),
    /// In the container image (`file:/…`).
    Image(String),
}

impl Script {
    /// The struct that the Clusters API has for it, and what stands there as `destination`.
    pub fn place(&self) -> (&'static str, &str) {
        match self {
            Self::Volume(path) => ("volumes", path),
            Self::Workspace(path) => ("workspace", path),
            Self::Image(path) => ("file", path),
        }
    }
}

/// Which clusters a compute policy makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterKind {
    /// One for each run of a job.
    Job,
    /// For notebooks.
    AllPurpose,
}

impl ClusterKind {
    /// The virtual attribute `cluster_type`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::AllPurpose => "all-purpose",
        }
    }
}

/// Who shares a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// One principal, or one group.
    Dedicated,
    /// Whoever may attach.
    Standard,
}

impl Access {
    /// Both spellings of `data_security_mode`: the API takes the newer one where `kind` is CLASSIC_PREVIEW.
    pub fn spellings(self) -> [&'static str; 2] {
        match self {
            Self::Dedicated => ["SINGLE_USER", "DATA_SECURITY_MODE_DEDICATED"],
            Self::Standard => ["USER_ISOLATION", "DATA_SECURITY_MODE_STANDARD"],
        }
    }
}

/// A language of notebooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Python.
    Python,
    /// SQL.
    Sql,
    /// R.
    R,
    /// Scala, which runs inside the engine.
    Scala,
}

impl Language {
    /// Every language, as `spark.databricks.repl.allowedLanguages` has them.
    pub const ALL: &'static [(&'static str, Self)] =
        &[("python", Self::Python), ("sql", Self::Sql), ("r", Self::R), ("scala", Self::Scala)];

    /// The word.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, language)| *language == self).map_or("", |(word, _)| word)
    }
}

/// Where the platform delivers the logs of drivers, executors and init scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// `cluster_log_conf.type`.
    pub kind: &'static str,
    /// `cluster_log_conf.path`.
    pub path: String,
    /// `cluster_log_conf.region`, where the kind has one.
    pub region: Option<String>,
}
