//! What was enforced, as a value: never what was wished for.

use crate::wire::report::Enforced;

/// The mount namespace of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountReport {
    /// Entered here.
    Entered,
    /// The parent was in it.
    Inherited,
    /// Not part of this lock.
    Absent,
}

/// What a launch enforced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which parts of the lock are in force.
    pub enforced: Enforced,
    /// The Landlock ABI in force; 0: none.
    pub landlock: u32,
    /// Rules that took effect.
    pub rules: usize,
    /// Rules whose path does not exist now.
    pub missing: Vec<String>,
    /// The mount namespace.
    pub mount: MountReport,
    /// Instructions of the filter in force; 0: none.
    pub filter: usize,
}
