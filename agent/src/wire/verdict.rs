//! What `init` and the first sidecar say to each other: the verdict, then the lock, then that both are on record.

use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::screen::{Screen, Verdict};

/// From the sidecar.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FromSidecar {
    /// Granted and recorded; lock the node.
    Granted {
        /// The context, signed by the node key.
        token: String,
        /// The receipt of the recorded decision.
        receipt: String,
    },
    /// No, or could not tell; recorded where that was possible.
    Stopped {
        /// `refused` or `failed`.
        refused: bool,
        /// See [`Screen`].
        headline: String,
        /// See [`Screen`].
        facts: Vec<(String, String)>,
        /// See [`Screen`].
        hint: String,
        /// See [`Screen`].
        entry: Option<u64>,
        /// See [`Screen`].
        reason: String,
        /// See [`Screen`].
        exit: u8,
    },
    /// The lock is on record, the context is published, the lease runs.
    Ready {
        /// The number of the decision's record.
        entry: u64,
    },
}

/// From `init`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FromInit {
    /// The lock is in place (or, under observe, deliberately not).
    Locked {
        /// SHA-256 (hex) over the sealed lock.
        digest: String,
        /// `full`, `degraded`, `none`.
        strength: String,
        /// Ways that the node leaves open, by name.
        open: Vec<String>,
        /// What was enforced, as JSON.
        report: String,
    },
    /// The node cannot be locked; put it on record.
    NotLocked {
        /// The stable reason.
        reason: String,
        /// What was missing.
        detail: String,
    },
}

impl FromSidecar {
    /// A screen on its way to `init`.
    pub fn stopped(screen: &Screen) -> Self {
        Self::Stopped {
            refused: screen.verdict == Verdict::Refused,
            headline: screen.headline.clone(),
            facts: screen.facts.clone(),
            hint: screen.hint.clone(),
            entry: screen.entry,
            reason: screen.reason.clone().into_owned(),
            exit: screen.exit.code(),
        }
    }
}

/// The screen that came over the wire. A reason or exit code that this build does not know stays an internal failure:
/// it never becomes a yes.
pub fn screen(from: FromSidecar) -> Option<Screen> {
    let FromSidecar::Stopped { refused, headline, facts, hint, entry, reason, exit } = from else { return None };
    let exit = Exit::ALL
        .iter()
        .map(|(known, _, _)| *known)
        .find(|known| known.code() == exit && *known != Exit::Ok)
        .unwrap_or(Exit::Internal);
    Some(Screen {
        verdict: if refused { Verdict::Refused } else { Verdict::Failed },
        headline,
        facts,
        hint,
        entry,
        reason: reason.into(),
        exit,
    })
}
