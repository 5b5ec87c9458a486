//! The evidence is false, stale or contradicts itself: by name, with what was expected and what was presented.

use super::agreement::answers::Pair;
use super::agreement::subject;
use super::node_document::NodeRefusal;
use super::saml::SamlRefusal;
use crate::exit::Exit;
use crate::host::clock::Timestamp;
use crate::screen::Screen;

/// Why evidence is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not three parts of base64url and JSON; what it is instead.
    #[error("the token is malformed")]
    TokenMalformed(&'static str),
    /// Too long.
    #[error("the token is larger than any that an issuer sends")]
    TokenOversized {
        /// The most bytes.
        most: usize,
        /// Its bytes.
        presented: usize,
    },
    /// A name stands twice in its header or its claims.
    #[error("the token names something twice")]
    DuplicateClaim,
    /// `alg` is `none`, however it is spelt.
    #[error("the token is not signed")]
    AlgorithmNone,
    /// An algorithm that the policy does not list.
    #[error("the token's signature algorithm is not allowed")]
    AlgorithmNotAllowed {
        /// The policy's list.
        expected: String,
        /// The token's `alg`.
        presented: String,
    },
    /// `crit`, or an extension that changes what was signed; its names.
    #[error("the token demands an extension that is not understood")]
    CriticalHeaderUnknown(String),
    /// The header that holds or names a key.
    #[error("the token brings or points to its own key")]
    EmbeddedKey(String),
    /// A `typ` that the policy does not list.
    #[error("the token is of another type")]
    TypeMismatch {
        /// The policy's list.
        expected: String,
        /// The token's `typ`.
        presented: String,
    },
    /// No key of that id.
    #[error("the token was signed with a key that the issuer does not publish")]
    KeyUnknown {
        /// The ids that are published.
        expected: String,
        /// The token's `kid`.
        presented: String,
    },
    /// No `kid`, and several keys fit.
    #[error("the token does not say which of the issuer's keys signed it")]
    KeyAmbiguous {
        /// The ids that are published.
        expected: String,
    },
    /// The key is bound to another algorithm, or of another family.
    #[error("the key that the token names is not fit for its algorithm")]
    KeyUnfit {
        /// The token's `alg`.
        expected: String,
        /// The key's id.
        presented: String,
    },
    /// The bytes are not what the key signed.
    #[error("the token's signature does not verify")]
    SignatureInvalid,
    /// The document is another issuer's.
    #[error("the issuer's discovery document names another issuer")]
    DiscoveryMismatch {
        /// The policy's issuer.
        expected: String,
        /// The document's.
        presented: String,
    },
    /// `iss` is another's.
    #[error("the token was issued by another issuer")]
    IssuerMismatch {
        /// The policy's issuer.
        expected: String,
        /// The token's.
        presented: String,
    },
    /// `aud` lacks ours.
    #[error("the token is for another audience")]
    AudienceMismatch {
        /// The policy's audience.
        expected: String,
        /// The token's.
        presented: String,
    },
    /// Several audiences, and `azp` is not ours.
    #[error("the token was given to another party")]
    AuthorizedPartyMismatch {
        /// The policy's audience.
        expected: String,
        /// The token's `azp`.
        presented: String,
    },
    /// Which.
    #[error("the token lacks a claim that it must have")]
    ClaimMissing(&'static str),
    /// Which.
    #[error("a claim of the token has the wrong form")]
    ClaimMalformed(String),
    /// `exp` is past.
    #[error("the token has expired")]
    TokenExpired {
        /// Its end.
        at: Timestamp,
        /// Our clock.
        now: Timestamp,
    },
    /// `nbf` or `iat` is to come.
    #[error("the token is not valid yet")]
    TokenNotYetValid {
        /// Its begin.
        at: Timestamp,
        /// Our clock.
        now: Timestamp,
    },
    /// `iat` is too long ago.
    #[error("the token is older than any that an issuer should send")]
    TokenTooOld {
        /// When it was issued.
        at: Timestamp,
        /// Our clock.
        now: Timestamp,
    },
    /// More groups than there is room for; what is there in their place.
    #[error("the token leaves groups out: there are too many")]
    GroupsOverage(&'static str),
    /// `tid` is another tenant's.
    #[error("the token was issued for another tenant")]
    TenantMismatch {
        /// The tenant in the issuer's name.
        expected: String,
        /// The token's.
        presented: String,
    },
    /// `ver` is not the one that issuers of this name write.
    #[error("the token is of another version than its issuer's")]
    TokenVersionMismatch {
        /// The issuer's.
        expected: String,
        /// The token's.
        presented: String,
    },
    /// Microsoft signs tokens for Graph so that Graph alone can check them.
    #[error("the token is for Microsoft Graph alone")]
    TokenForGraph,
    /// Microsoft Graph does not have it.
    #[error("the directory does not have whom the token speaks of")]
    NotInDirectory,
    /// The subject is not whom the job runs as.
    #[error("the token speaks of another principal than the workspace")]
    SubjectMismatch {
        /// The job's principal; a person is not named.
        expected: String,
        /// The token's subject; a person is not named.
        presented: String,
    },
    /// The token's tag is not this node's key.
    #[error("the token was fetched under another node key")]
    NodeKeyMismatch {
        /// This node's.
        expected: String,
        /// The token's.
        presented: String,
    },
    /// The name that the settings give the token.
    #[error("no issuer of that name is trusted")]
    IssuerUnknown(String),
    /// Of a SAML assertion.
    #[error(transparent)]
    Saml(SamlRefusal),
    /// The workspace does not have it.
    #[error("the workspace knows no such thing")]
    Unknown {
        /// A cluster, run, job or principal.
        what: &'static str,
        /// Its id or name.
        id: String,
    },
    /// Two answers, or an answer and this node, differ.
    #[error("the workspace speaks of another thing than this node")]
    Contradiction {
        /// Of which fields.
        pair: &'static Pair,
        /// By this node, or by the answer before.
        expected: String,
        /// By the answer.
        presented: String,
    },
    /// Its state.
    #[error("the cluster is not running")]
    ClusterEnded(String),
    /// The address is not among the cluster's.
    #[error("the workspace does not list this node in its cluster")]
    NodeNotListed {
        /// The cluster's addresses.
        expected: String,
        /// This node's.
        presented: String,
    },
    /// Processes of several people run on it, each with their own rights: none of them is this node's.
    #[error("an all-purpose cluster that is dedicated to nobody has no identity of its own")]
    NotDedicated,
    /// `active` is false.
    #[error("the principal is not active in the workspace")]
    PrincipalInactive,
    /// The evidence comes from another workspace.
    #[error("the policy is not for this workspace")]
    WorkspaceMismatch {
        /// The policy's workspaces.
        expected: String,
        /// The settings'.
        presented: String,
    },
    /// Which kind.
    #[error("a proof that the policy requires is missing")]
    ProofMissing(String),
    /// Whose.
    #[error("a proof has expired")]
    ProofExpired(String),
    /// The cloud's word on this machine.
    #[error(transparent)]
    Node(#[from] NodeRefusal),
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
            Self::KeyAmbiguous { .. } => "key-ambiguous",
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
            Self::GroupsOverage(_) => "groups-overage",
            Self::TenantMismatch { .. } => "tenant-mismatch",
            Self::TokenVersionMismatch { .. } => "token-version-mismatch",
            Self::TokenForGraph => "token-for-graph",
            Self::NotInDirectory => "not-in-directory",
            Self::SubjectMismatch { .. } => subject::REASON,
            Self::NodeKeyMismatch { .. } => "node-key-mismatch",
            Self::IssuerUnknown(_) => "issuer-unknown",
            Self::Saml(refusal) => refusal.reason(),
            Self::Unknown { what: "cluster", .. } => "cluster-unknown",
            Self::Unknown { what: "run", .. } => "run-unknown",
            Self::Unknown { what: "job", .. } => "job-unknown",
            Self::Unknown { .. } => "principal-unknown",
            Self::Contradiction { pair, .. } => pair.reason,
            Self::ClusterEnded(_) => "cluster-ended",
            Self::NodeNotListed { .. } => "node-not-listed",
            Self::NotDedicated => "cluster-not-dedicated",
            Self::PrincipalInactive => "principal-inactive",
            Self::WorkspaceMismatch { .. } => "workspace-mismatch",
            Self::ProofMissing(_) => "proof-missing",
            Self::ProofExpired(_) => "proof-expired",
            Self::Node(refusal) => refusal.reason(),
        }
    }

    /// What a person reads.
    pub fn screen(&self) -> Screen {
        let screen = Screen::refused(self.reason(), Exit::RefusedEvidence, self.to_string());
        let differ = |what: &str, expected: &dyn std::fmt::Display, presented: &dyn std::fmt::Display| {
            let label = |word: &str| format!("{word} {what}").trim_end().to_owned();
            screen.clone().fact(label("expected"), expected).fact(label("presented"), presented)
        };
        match self {
            Self::TokenMalformed(detail) => {
                differ("", &"a JWT in compact form (RFC 7515 §7.1)", detail).hint("is this file the token, and all of it?")
            }
            Self::TokenOversized { most, presented } => {
                differ("bytes", &format!("at most {most}"), presented).hint("is this file a JWT?")
            }
            Self::DuplicateClaim => differ("", &"each name once", &"a name that stands twice")
                .hint("a token that means two things means nothing; ask who made it"),
            Self::AlgorithmNone => differ("", &"a signature", &"alg none").hint("somebody forged this token"),
            Self::AlgorithmNotAllowed { expected, presented } => {
                differ("algorithm", expected, presented).hint("the policy's `algorithms` names what this issuer signs with")
            }
            Self::CriticalHeaderUnknown(name) => {
                differ("extension", &"none", name).hint("such a token must be refused (RFC 7515 §4.1.11)")
            }
            Self::EmbeddedKey(name) => differ("header", &"the id of a key alone", name)
                .hint("keys come from the issuer that the policy names, never from the token"),
            Self::TypeMismatch { expected, presented } => {
                differ("type", expected, presented).hint("the policy's `types` names which tokens count (RFC 8725 §3.11)")
            }
            Self::KeyUnknown { expected, presented } => differ("key", expected, presented)
                .hint("the issuer's keys were fetched just now; the token is forged, or older than the issuer's last rotation"),
            Self::KeyAmbiguous { expected } => differ("key", &format!("one of {expected}"), &"none named")
                .hint("an issuer with several keys must name one in each token"),
            Self::KeyUnfit { expected, presented } => {
                differ("key", &format!("one for {expected}"), &format!("{presented}, which is for something else"))
                    .hint("the token was forged, or the issuer binds its keys to other algorithms than it uses")
            }
            Self::SignatureInvalid => {
                differ("signature", &"the issuer's", &"another").hint("the token was edited, or signed by somebody else")
            }
            Self::DiscoveryMismatch { expected, presented } | Self::IssuerMismatch { expected, presented } => {
                differ("issuer", expected, presented)
                    .hint("this cluster's policy names its issuers; see `longhorn policy explain`")
            }
            Self::AudienceMismatch { expected, presented } => {
                differ("audience", expected, presented).hint("ask the issuer for a token for Longhorn")
            }
            Self::AuthorizedPartyMismatch { expected, presented } => differ("party", expected, presented)
                .hint("a token with several audiences must be given to the one that presents it"),
            Self::ClaimMissing(name) => differ("claim", name, &"none").hint("the issuer must put it into its tokens"),
            Self::ClaimMalformed(name) => differ("claim", &format!("{name} as its standard defines it"), &"something else")
                .hint("ask whoever runs the issuer how it comes to send this"),
            Self::TokenExpired { at, now } => differ("end", &format!("after {now}, by our clock"), at)
                .hint("fetch a fresh token; or this node's clock is wrong"),
            Self::TokenNotYetValid { at, now } => {
                differ("begin", &format!("before {now}, by our clock"), at).hint("this node's clock, or the issuer's, is wrong")
            }
            Self::TokenTooOld { at, now } => {
                differ("issue", &format!("within the day before {now}, by our clock"), at).hint("fetch a fresh token")
            }
            Self::GroupsOverage(presented) => {
                differ("", &"all groups", presented).hint("limit the groups in the token, or use application roles")
            }
            Self::TenantMismatch { expected, presented } => differ("tenant", expected, presented)
                .hint("the policy's issuer names one tenant; tokens of its guests come from it, too"),
            Self::TokenVersionMismatch { expected, presented } => differ("version", expected, presented).hint(
                "Entra ID: `accessTokenAcceptedVersion` of the application says which; the policy's issuer must be of that kind",
            ),
            Self::TokenForGraph => differ("", &"a token for Longhorn", &"one whose header has a nonce")
                .hint("ask for the scope of an application of your own, not for one of Microsoft Graph"),
            Self::NotInDirectory => differ("", &"an object that Microsoft Graph has", &"an `oid` that it does not have")
                .hint("the user or application was deleted since the token was issued"),
            Self::SubjectMismatch { expected, presented } => differ("principal", expected, presented)
                .hint("the token must belong to whom the job runs as; the policy's `subject` says how they are compared"),
            Self::NodeKeyMismatch { expected, presented } => differ("node key", expected, presented)
                .hint("the token was fetched by another node and replayed here, or STS was asked without the tag"),
            Self::IssuerUnknown(name) => differ("issuer", &"one of the policy's [trust]", name)
                .hint("name it there, or take its token out of the settings"),
            Self::Saml(refusal) => refusal.tell(screen),
            Self::Unknown { what, id } => differ(what, &"one that the workspace has", id)
                .hint("the node's variables name something that this workspace does not have"),
            Self::Contradiction { pair, expected, presented } => differ(pair.what, expected, presented)
                .hint("what this node says of itself and what the workspace says of it must agree"),
            Self::ClusterEnded(state) => {
                differ("state", &"PENDING, RUNNING, RESTARTING or RESIZING", state).hint("the workspace has ended this cluster")
            }
            Self::NodeNotListed { expected, presented } => differ("address", expected, presented)
                .hint("`membership = \"within-lease\"` in the settings allows the workspace to list it a little later"),
            Self::NotDedicated => differ("single_user_name", &"a principal (dedicated access mode)", &"none")
                .hint("use dedicated access mode, or run it as a job on a job cluster"),
            Self::PrincipalInactive => differ("principal", &"an active one", &"one that is deactivated")
                .hint("an administrator deactivated the principal that this job runs as"),
            Self::WorkspaceMismatch { expected, presented } => {
                differ("workspace", expected, presented).hint("each policy names its workspaces")
            }
            Self::ProofMissing(kind) => differ("proof", kind, &"none").hint("the settings must say where this proof comes from"),
            Self::ProofExpired(voucher) => {
                differ("proof", &"one that is still good", &format!("one of {voucher} that has ended"))
                    .hint("start again with a fresh token")
            }
            Self::Node(refusal) => refusal.tell(screen),
        }
    }
}
