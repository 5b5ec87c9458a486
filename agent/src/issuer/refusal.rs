//! Why the issuer gives no certificate, in the words of its protocol. A refusal is an answer; what it could not tell is a
//! status above 499, and the node asks again.

use crate::identity::Unproven;

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a request; what was expected.
    #[error("this is no request: {0} was expected")]
    Malformed(&'static str),
    /// Too large.
    #[error("the request is larger than any that a node sends")]
    Oversized,
    /// Not signed by the key that it names.
    #[error("the request was not signed by the key that it names")]
    NotPossessed,
    /// Made for somebody else.
    #[error("the request was made for another issuer")]
    OtherIssuer,
    /// Not given by this process.
    #[error("the challenge was not given here since the issuer started")]
    ChallengeUnknown,
    /// Over.
    #[error("the challenge has ended")]
    ChallengeEnded,
    /// Used.
    #[error("the challenge was used by another request")]
    ChallengeUsed,
    /// The evidence is false, or cannot be understood.
    #[error("the evidence does not prove a machine: {0}")]
    Evidence(Box<Unproven>),
    /// The machine's key for this boot is another one.
    #[error("another key was certified for this machine and boot")]
    AlreadyCertified,
    /// The key belongs to another machine or boot.
    #[error("the key was certified for another machine or boot")]
    KeyElsewhere,
    /// The machine was certified for as many boots as the settings allow.
    #[error("the machine was certified for as many boots as are allowed")]
    TooManyBoots,
    /// Too much at once.
    #[error("too many nodes ask at once")]
    Busy,
    /// The policy is over.
    #[error("the issuer's policy has ended")]
    PolicyEnded,
    /// Nothing can be certified under this clock.
    #[error("the issuer's clock is behind what it certified before")]
    ClockBehind,
    /// What a cloud's issuer says could not be had.
    #[error("the keys of the cloud's issuer could not be asked for")]
    EvidenceUnavailable,
    /// The ledger could not be made durable.
    #[error("the issuer cannot write its ledger")]
    Store,
    /// No such place.
    #[error("there is nothing here")]
    NoSuchPath,
    /// Another method.
    #[error("this place is asked in another way")]
    MethodNotAllowed,
}

impl Refusal {
    /// Every name with its status: the table of the manual.
    pub const TABLE: &'static [(&'static str, u16)] = &[
        ("request-malformed", 400),
        ("request-oversized", 413),
        ("key-not-possessed", 403),
        ("other-issuer", 403),
        ("challenge-unknown", 409),
        ("challenge-ended", 409),
        ("challenge-used", 409),
        ("already-certified", 403),
        ("key-certified-elsewhere", 403),
        ("too-many-boots", 403),
        ("busy", 503),
        ("policy-ended", 503),
        ("clock-behind", 503),
        ("evidence-unavailable", 503),
        ("store-failed", 503),
        ("no-such-path", 404),
        ("method-not-allowed", 405),
    ];

    /// The stable name; that of false evidence is the identity room's.
    pub fn reason(&self) -> String {
        match self {
            Self::Malformed(_) => "request-malformed",
            Self::Oversized => "request-oversized",
            Self::NotPossessed => "key-not-possessed",
            Self::OtherIssuer => "other-issuer",
            Self::ChallengeUnknown => "challenge-unknown",
            Self::ChallengeEnded => "challenge-ended",
            Self::ChallengeUsed => "challenge-used",
            Self::Evidence(unproven) => return unproven.screen().reason.into_owned(),
            Self::AlreadyCertified => "already-certified",
            Self::KeyElsewhere => "key-certified-elsewhere",
            Self::TooManyBoots => "too-many-boots",
            Self::Busy => "busy",
            Self::PolicyEnded => "policy-ended",
            Self::ClockBehind => "clock-behind",
            Self::EvidenceUnavailable => "evidence-unavailable",
            Self::Store => "store-failed",
            Self::NoSuchPath => "no-such-path",
            Self::MethodNotAllowed => "method-not-allowed",
        }
        .to_owned()
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Evidence(unproven) => match **unproven {
                Unproven::Refused(_) => 403,
                // What is not understood may be the keys of the cloud's issuer: not the node's doing.
                Unproven::Malformed { .. } => 503,
            },
            other => {
                let reason = other.reason();
                Self::TABLE.iter().find(|(name, _)| *name == reason).map_or(500, |(_, status)| *status)
            }
        }
    }

    /// Somebody may be posing as a machine: an operator looks at it.
    pub fn alarms(&self) -> bool {
        matches!(self, Self::AlreadyCertified | Self::KeyElsewhere | Self::TooManyBoots)
    }
}
