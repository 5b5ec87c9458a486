//! What is allowed: policy x identity x time. Pure and total, with a trace of every rule.

pub mod access;
mod canonical;
pub mod capability;
pub mod catalog;
pub mod compute;
mod decide;
pub mod diff;
pub mod environment;
pub mod grant;
pub mod grants;
pub mod models;
pub mod permission;
pub mod policy;
mod refusal;
mod trace;

pub use decide::{Decision, Evaluated, decide, evaluate};
pub use grant::Grant;
pub use refusal::{IMDS_OPEN, METADATA_HINT, Refusal};
pub use trace::{Step, Trace};
