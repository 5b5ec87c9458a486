//! Why a request does not go through. The caller hears one sentence and the rule; never a status that makes a client try again
//! (MLflow's tries 408, 429 and every 5xx seven times).

use super::asked::MOST_BODY;

/// A request that is not sent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Whether it may not, or cannot be read.
    pub kind: Kind,
    /// The rule, by its stable name.
    pub reason: &'static str,
    /// What the caller reads: what was asked, and what would go through.
    pub sentence: String,
}

/// What sort of denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 403: understood, and not allowed.
    Refused,
    /// 400: it could mean two things, or nothing.
    Unclear,
}

impl Denial {
    /// Understood, and not allowed.
    pub fn refused(reason: &'static str, sentence: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, reason, sentence: sentence.into() }
    }

    pub(super) fn unclear(reason: &'static str, sentence: impl Into<String>) -> Self {
        Self { kind: Kind::Unclear, reason, sentence: sentence.into() }
    }

    /// The caller is not of the locked job.
    pub fn not_locked() -> Self {
        Self::refused("peer-not-locked", "only processes of the locked job are let through here")
    }

    /// The node has no context any more.
    pub fn withdrawn() -> Self {
        Self::refused("context-withdrawn", "the identity of this node was withdrawn: its context is no longer valid")
    }

    /// The body is too long, or did not come.
    pub fn body_unread() -> Self {
        Self::unclear("body-unread", format!("the body is longer than {} MiB, or did not come in time", MOST_BODY / 1024 / 1024))
    }

    /// The registry sends its callers elsewhere.
    pub fn redirected() -> Self {
        Self::refused("registry-redirects", "the registry answered with a redirect, which is not followed")
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self.kind {
            Kind::Refused => 403,
            Kind::Unclear => 400,
        }
    }

    /// What MLflow's and Databricks' clients read: `error_code` and `message`.
    pub fn body(&self, entry: Option<u64>) -> String {
        let code = match self.kind {
            Kind::Refused => "PERMISSION_DENIED",
            Kind::Unclear => "INVALID_PARAMETER_VALUE",
        };
        let record = entry.map_or_else(|| "none".to_owned(), |entry| entry.to_string());
        let message = format!("longhorn: {} (rule: {}, record: {record})", self.sentence, self.reason);
        serde_json::json!({ "error_code": code, "message": message }).to_string()
    }
}
