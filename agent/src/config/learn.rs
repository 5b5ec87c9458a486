//! What was seen on nodes that observe and under the tracer, held against a policy's environment: the smallest addition that
//! lets the job be what it was, each line with its evidence. Pure. A person reviews it; what would undo the lock, and what
//! holds a secret, is never proposed.

pub mod evidence;
mod fragment;
mod names;
mod places;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use self::evidence::Evidence;
use crate::decision::access::Need;
use crate::decision::environment::Environment;

/// Which names belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The environment, or its preset, has it.
    There,
    /// Pinned, and another value came with the launch.
    Pinned,
    /// Another preset has it.
    Known,
    /// Nobody knows it.
    Unknown,
    /// A desk's own.
    Leftover,
    /// A secret, or where one lies.
    Credential,
    /// It makes a loader or an interpreter run other code.
    Hook,
}

impl Group {
    /// In a heading, and in answers for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::There => "there",
            Self::Pinned => "pinned",
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Leftover => "laptop-leftover",
            Self::Credential => "credential",
            Self::Hook => "hook",
        }
    }
}

/// One name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variable {
    /// Where it belongs.
    pub group: Group,
    /// The name.
    pub name: String,
    /// Launches that came with it.
    pub launches: u64,
    /// Why it belongs there, where there is a reason.
    pub why: String,
}

/// What becomes of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The environment grants it.
    There,
    /// Proposed.
    Proposed,
    /// Proposed commented out: a person decides, for this reason.
    Review(String),
    /// Not proposed, for this reason.
    Never(String),
}

/// One directory for one need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What for.
    pub need: Need,
    /// The directory that a rule could name.
    pub path: PathBuf,
    /// How often the tracer saw it.
    pub traced: u64,
    /// How many nodes' samples show it.
    pub sampled: u64,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// For this environment.
    pub environment: String,
    /// Names, by group.
    pub variables: Vec<Variable>,
    /// Directories, by need.
    pub places: Vec<Place>,
    /// What limits the evidence.
    pub notes: Vec<String>,
    /// What was looked at, in a sentence.
    pub seen: String,
}

/// Proposes what this environment lacks.
pub fn learn(environment: &Environment, evidence: &Evidence) -> Proposal {
    Proposal {
        environment: environment.name.to_string(),
        variables: names::grouped(environment, evidence),
        places: places::judged(environment, evidence),
        notes: evidence.notes(),
        seen: evidence.sentence(),
    }
}
