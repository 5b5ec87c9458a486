//! The evidence is false, stale or contradicts itself: by name, with what was expected and what was presented.

use crate::exit::Exit;
use crate::host::clock::Timestamp;
use crate::screen::Screen;

/// Why evidence is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum Refusal {
    #[error("the token is malformed")]
    TokenMalformed(&'static str),
    #[error("the token is larger than any that an issuer sends")]
    TokenOversized { most: usize, presented: usize },
    #[error("the token names something twice")]
    DuplicateClaim,
    #[error("the token is not signed")]
    AlgorithmNone,
    #[error("the token's signature algorithm is not allowed")]
    AlgorithmNotAllowed { expected: String, presented: String },
    #[error("the token demands an extension that is not understood")]
    CriticalHeaderUnknown(String),
    #[error("the token brings or points to its own key")]
    EmbeddedKey(String),
    #[error("the token is of another type")]
    TypeMismatch { expected: String, presented: String },
    #[error("the token was signed with a key that the issuer does not publish")]
    KeyUnknown { presented: String },
    #[error("the token does not say which of the issuer's keys signed it")]
    KeyAmbiguous,
    #[error("the key that the token names is not fit for its algorithm")]
    KeyUnfit { key: String, detail: &'static str },
    #[error("the token's signature does not verify")]
    SignatureInvalid,
    #[error("the issuer's discovery document names another issuer")]
    DiscoveryMismatch { expected: String, presented: String },
    #[error("the token was issued by another issuer")]
    IssuerMismatch { expected: String, presented: String },
    #[error("the token is for another audience")]
    AudienceMismatch { expected: String, presented: String },
    #[error("the token was given to another party")]
    AuthorizedPartyMismatch { expected: String, presented: String },
    #[error("the token lacks a claim that it must have")]
    ClaimMissing(&'static str),
    #[error("a claim of the token has the wrong form")]
    ClaimMalformed(String),
    #[error("the token has expired")]
    TokenExpired { at: Timestamp, now: Timestamp },
    #[error("the token is not valid yet")]
    TokenNotYetValid { at: Timestamp, now: Timestamp },
    #[error("the token is older than any that an issuer should send")]
    TokenTooOld { at: Timestamp, now: Timestamp },
    #[error("the token leaves groups out: there are too many")]
    GroupsOverage,
    #[error("the token speaks of another principal than the workspace")]
    SubjectMismatch { expected: String, presented: String },
    #[error("no issuer of that name is trusted")]
    IssuerUnknown(String),
    #[error("the workspace knows no such thing")]
    Unknown { what: &'static str, id: String },
    #[error("the workspace's answer lacks what it must hold")]
    AnswerMalformed { what: &'static str, detail: &'static str },
    #[error("the workspace speaks of another thing than this node")]
    Contradiction { what: &'static str, expected: String, presented: String },
    #[error("the cluster is not running")]
    ClusterEnded(String),
    #[error("the workspace does not list this node in its cluster")]
    NodeNotListed { expected: String, presented: String },
    #[error("the principal is not active in the workspace")]
    PrincipalInactive,
    #[error("the policy is not for this workspace")]
    WorkspaceMismatch { expected: String, presented: String },
    #[error("a proof that the policy requires is missing")]
    ProofMissing(String),
    #[error("a proof has expired")]
    ProofExpired(String),
}

impl Refusal {
    /// The stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TokenMalformed(_) => "token-malformed",
            Self::TokenOversized { .. } => "token-oversized",
            Self::DuplicateClaim => "duplicate-claim",
            Self::AlgorithmNone => "algorithm-none",
            Self::AlgorithmNotAllowed { .. } => "algorithm-not-allowed",
            Self::CriticalHeaderUnknown(_) => "critical-header-unknown",
            Self::EmbeddedKey(_) => "embedded-key",
            Self::TypeMismatch { .. } => "type-mismatch",
            Self::KeyUnknown { .. } => "key-unknown",
            Self::KeyAmbiguous => "key-ambiguous",
            Self::KeyUnfit { .. } => "key-unfit",
            Self::SignatureInvalid => "signature-invalid",
            Self::DiscoveryMismatch { .. } => "discovery-mismatch",
            Self::IssuerMismatch { .. } => "issuer-mismatch",
            Self::AudienceMismatch { .. } => "audience-mismatch",
            Self::AuthorizedPartyMismatch { .. } => "authorized-party-mismatch",
            Self::ClaimMissing(_) => "claim-missing",
            Self::ClaimMalformed(_) => "claim-malformed",
            Self::TokenExpired { .. } => "token-expired",
            Self::TokenNotYetValid { .. } => "token-not-yet-valid",
            Self::TokenTooOld { .. } => "token-too-old",
            Self::GroupsOverage => "groups-overage",
            Self::SubjectMismatch { .. } => "subject-mismatch",
            Self::IssuerUnknown(_) => "issuer-unknown",
            Self::Unknown { what: "cluster", .. } => "cluster-unknown",
            Self::Unknown { what: "run", .. } => "run-unknown",
            Self::Unknown { what: "job", .. } => "job-unknown",
            Self::Unknown { .. } => "principal-unknown",
            Self::AnswerMalformed { .. } => "answer-malformed",
            Self::Contradiction { what: "cluster", .. } => "cluster-mismatch",
            Self::Contradiction { what: "job", .. } => "run-of-another-job",
            Self::Contradiction { what: "run", .. } => "run-mismatch",
            Self::Contradiction { what: "principal", .. } => "run-as-mismatch",
            Self::Contradiction { what: "driver", .. } => "driver-mismatch",
            Self::Contradiction { .. } => "cluster-source-mismatch",
            Self::ClusterEnded(_) => "cluster-ended",
            Self::NodeNotListed { .. } => "node-not-listed",
            Self::PrincipalInactive => "principal-inactive",
            Self::WorkspaceMismatch { .. } => "workspace-mismatch",
            Self::ProofMissing(_) => "proof-missing",
            Self::ProofExpired(_) => "proof-expired",
        }
    }

    /// What a person reads.
    pub fn screen(&self) -> Screen {
        let screen = Screen::refused(self.reason(), Exit::RefusedEvidence, self.to_string());
        let pair = |screen: Screen, what: &str, expected: &dyn std::fmt::Display, presented: &dyn std::fmt::Display| {
            screen.fact(format!("expected {what}"), expected).fact(format!("presented {what}"), presented)
        };
        match self {
            Self::TokenMalformed(detail) => {
                screen.fact("presented", detail).hint("is this file a JWT in compact form (RFC 7515)?")
            }
            Self::TokenOversized { most, presented } => {
                pair(screen, "bytes", &format!("at most {most}"), presented).hint("is this file a JWT?")
            }
            Self::DuplicateClaim => {
                screen.fact("expected", "each name once").hint("a token that means two things means nothing; ask who made it")
            }
            Self::AlgorithmNone => {
                screen.fact("expected", "a signature").fact("presented", "alg none").hint("somebody forged this token")
            }
            Self::AlgorithmNotAllowed { expected, presented } => {
                pair(screen, "algorithm", expected, presented).hint("the policy's `algorithms` names what this issuer signs with")
            }
            Self::CriticalHeaderUnknown(name) => {
                screen.fact("presented", name).hint("such a token must be refused (RFC 7515 §4.1.11)")
            }
            Self::EmbeddedKey(name) => {
                screen.fact("presented", name).hint("keys come from the issuer that the policy names, never from the token")
            }
            Self::TypeMismatch { expected, presented } => {
                pair(screen, "type", expected, presented).hint("the policy's `types` names which tokens count (RFC 8725 §3.11)")
            }
            Self::KeyUnknown { presented } => screen
                .fact("presented key", presented)
                .hint("the issuer's keys were fetched just now; the token is forged, or older than the issuer's last rotation"),
            Self::KeyAmbiguous => {
                screen.fact("expected", "a key id").hint("an issuer with several keys must name one in each token")
            }
            Self::KeyUnfit { key, detail } => {
                screen.fact("key", key).fact("presented", detail).hint("the issuer publishes a key that must not be relied on")
            }
            Self::SignatureInvalid => {
                screen.fact("expected", "the issuer's signature").hint("the token was edited, or signed by somebody else")
            }
            Self::DiscoveryMismatch { expected, presented } | Self::IssuerMismatch { expected, presented } => {
                pair(screen, "issuer", expected, presented)
                    .hint("this cluster's policy names its issuers; see `longhorn policy explain`")
            }
            Self::AudienceMismatch { expected, presented } => {
                pair(screen, "audience", expected, presented).hint("ask the issuer for a token for Longhorn")
            }
            Self::AuthorizedPartyMismatch { expected, presented } => pair(screen, "party", expected, presented)
                .hint("a token with several audiences must be given to the one that presents it"),
            Self::ClaimMissing(name) => screen.fact("expected claim", name).hint("the issuer must put it into its tokens"),
            Self::ClaimMalformed(name) => screen.fact("claim", name).hint("it does not have the form that its standard demands"),
            Self::TokenExpired { at, now } => {
                screen.fact("expired", at).fact("our clock", now).hint("fetch a fresh token; or this node's clock is wrong")
            }
            Self::TokenNotYetValid { at, now } => {
                screen.fact("valid from", at).fact("our clock", now).hint("this node's clock, or the issuer's, is wrong")
            }
            Self::TokenTooOld { at, now } => screen.fact("issued", at).fact("our clock", now).hint("fetch a fresh token"),
            Self::GroupsOverage => screen
                .fact("expected", "all groups")
                .fact("presented", "a pointer to them")
                .hint("limit the groups in the token, or use application roles"),
            Self::SubjectMismatch { expected, presented } => pair(screen, "principal", expected, presented)
                .hint("the token must belong to whom the job runs as; the policy's `subject` says how they are compared"),
            Self::IssuerUnknown(name) => screen.fact("presented", name).hint("name it in a [[trust.oidc]] of the policy"),
            Self::Unknown { what, id } => screen
                .fact(format!("presented {what}"), id)
                .hint("the node's variables name something that this workspace does not have"),
            Self::AnswerMalformed { what, detail } => {
                screen.fact("answer about", what).fact("expected", detail).hint("is this the address of a workspace?")
            }
            Self::Contradiction { what, expected, presented } => pair(screen, what, expected, presented)
                .hint("what this node says of itself and what the workspace says of it must agree"),
            Self::ClusterEnded(state) => pair(screen, "state", &"PENDING, RUNNING, RESTARTING or RESIZING", state)
                .hint("the workspace has ended this cluster"),
            Self::NodeNotListed { expected, presented } => pair(screen, "address", expected, presented)
                .hint("`membership = \"within-lease\"` in the settings allows the workspace to list it a little later"),
            Self::PrincipalInactive => screen.hint("an administrator deactivated the principal that this job runs as"),
            Self::WorkspaceMismatch { expected, presented } => {
                pair(screen, "workspace", expected, presented).hint("each policy names its workspaces")
            }
            Self::ProofMissing(kind) => {
                pair(screen, "proof", kind, &"none").hint("the settings must say where this proof comes from")
            }
            Self::ProofExpired(kind) => screen.fact("proof", kind).hint("start again with a fresh token"),
        }
    }
}
