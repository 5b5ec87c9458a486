//! How an answer can go wrong.

use serde::{Deserialize, Serialize};

/// A fault on every path that begins with `path`, for the next `times` requests (0: for ever).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Which paths.
    pub path: String,
    /// How often.
    pub times: u32,
    /// This status instead of an answer.
    pub status: Option<u16>,
    /// With this header.
    pub retry_after: Option<String>,
    /// After this time, in milliseconds.
    pub delay_ms: u64,
    /// The connection ends in the middle of the body.
    pub cut: bool,
    /// To this address.
    pub redirect: Option<String>,
    /// This body instead.
    pub body: Option<String>,
    /// A body of this many bytes instead.
    pub bytes: usize,
}
