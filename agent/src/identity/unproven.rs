//! Why a claim is not proven: it is false, or what was answered cannot be understood. The second is never dressed up as the
//! first.

use super::refusal::Refusal;
use crate::exit::Exit;
use crate::screen::Screen;

/// Why a claim is not proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// It is false, stale, or contradicts itself.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// JSON, and of another shape than the answer has: nothing is known.
    #[error("an answer lacks what it must hold")]
    Malformed {
        /// What was asked about.
        what: &'static str,
        /// What the answer must hold.
        detail: &'static str,
    },
}

impl Unproven {
    /// What a person reads.
    pub fn screen(&self) -> Screen {
        match self {
            Self::Refused(refusal) => refusal.screen(),
            Self::Malformed { what, detail } => Screen::failed("answer-malformed", Exit::Protocol, self.to_string())
                .fact("expected", detail)
                .fact("presented", format!("another document about the {what}"))
                .hint(match *what {
                    "keys" | "discovery" => "is this the address of an issuer?",
                    "groups" => "is `graph-host` in the policy the address of Microsoft Graph?",
                    _ => "is this the address of a workspace?",
                }),
        }
    }
}
