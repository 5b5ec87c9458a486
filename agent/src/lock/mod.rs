//! What the job may touch: a pure, printable plan; applying it; a report of what was enforced, as a value.

mod apply;
mod bpf;
pub mod calls;
pub mod canary;
pub mod cover;
pub mod env;
mod files;
pub mod namespace;
mod network;
pub mod plan;
mod probe;
pub mod reach;
pub mod report;
pub mod sealed;
pub mod seccomp;
mod strength;
pub mod uncover;

pub use apply::{ApplyError, Locked, Place, Standing, apply, standing};
pub use files::{needed, through, within_reach};
pub use plan::{Plan, PlanError, Target, TargetKind, plan};
pub use probe::NodeFacts;
pub use strength::{BelowFloor, Missing, Strength, meet, open_ways};
