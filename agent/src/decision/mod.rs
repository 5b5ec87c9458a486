//! What is allowed: policy x identity x time. Pure and total, with a trace of every rule.

mod canonical;
pub mod environment;
pub mod grant;
pub mod policy;
