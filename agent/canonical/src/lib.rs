//! Lines of a log as our writer writes them. A verifier reads a million of them, so this is a crate of its own, which the
//! release build makes fast where it makes all else small (agent/design/0014).
//!
//! [`record`] is a record, each key in its place; [`note`] a checkpoint's note as the one JSON string that it may be;
//! [`json`] as much of JSON as both need; [`mod@hex`] are digests.
//!
//! All of it says yes or nothing: what it does not know is for a whole parser to judge.
#![forbid(unsafe_code)]

pub mod hex;
pub mod json;
pub mod note;
pub mod record;
