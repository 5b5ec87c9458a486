//! The policy's no, by name.

use crate::exit::Exit;
use crate::host::clock::Timestamp;
use crate::screen::Screen;

/// Why the policy says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The identity is no longer good.
    #[error("the identity's proofs have expired")]
    IdentityExpired,
    /// The policy has ended.
    #[error("the policy has expired")]
    PolicyExpired(Timestamp),
    /// The policy is for other workspaces.
    #[error("the policy is for another workspace")]
    OtherWorkspace(String),
    /// A proof kind that the policy requires is not there.
    #[error("a proof that the policy requires is missing")]
    ProofMissing {
        /// Which.
        kind: String,
        /// What there is instead.
        presented: &'static str,
    },
    /// Nothing covers this job or cluster.
    #[error("no scope of the policy covers this workload")]
    NoScope(String),
    /// More than one scope does.
    #[error("more than one scope of the policy covers this workload")]
    AmbiguousScope(Vec<String>),
    /// The principal has none of the roles that may run it.
    #[error("the principal has none of the roles that may run this scope")]
    RoleMissing {
        /// Any of these.
        expected: Vec<String>,
        /// What the groups give.
        presented: Vec<String>,
    },
    /// A role that may not run it.
    #[error("a role of the principal is denied in this scope")]
    RoleDenied(String),
    /// The scope itself may not run.
    #[error("the scope does not hold the permission to run")]
    RunNotPermitted(String),
    /// What the agent is known by comes from a cloud's token, and jobs in this environment could ask for the same.
    #[error("jobs of this scope could ask the cloud's metadata service for what the agent proves itself with")]
    MetadataOpen {
        /// The environment.
        environment: String,
        /// Proofs that were got with a cloud's token.
        proofs: Vec<String>,
    },
    /// The scope's environment is not in the policy.
    #[error("the policy does not define the environment of the scope")]
    EnvironmentUnknown(String),
}

/// What to do where jobs may ask the metadata service.
pub const METADATA_HINT: &str = "a cloud's token counts only where no job can get one: close the metadata service in the \
                                 environment, or give the agent a credential of its own";
/// The stable name, wherever it is said: by a look at policy and settings, by the decision, by a try from inside the lock.
pub const IMDS_OPEN: &str = "imds-open-to-user-code";

impl Refusal {
    /// The stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::IdentityExpired => "identity-expired",
            Self::PolicyExpired(_) => "policy-expired",
            Self::OtherWorkspace(_) => "policy-other-workspace",
            Self::ProofMissing { .. } => "proof-missing",
            Self::NoScope(_) => "no-scope",
            Self::AmbiguousScope(_) => "ambiguous-scope",
            Self::RoleMissing { .. } => "role-missing",
            Self::RoleDenied(_) => "role-denied",
            Self::RunNotPermitted(_) => "run-not-permitted",
            Self::MetadataOpen { .. } => IMDS_OPEN,
            Self::EnvironmentUnknown(_) => "environment-unknown",
        }
    }

    /// What a person reads.
    pub fn screen(&self) -> Screen {
        let exit = match self {
            Self::MetadataOpen { .. } => Exit::RefusedFloor,
            _ => Exit::RefusedPolicy,
        };
        let screen = Screen::refused(self.reason(), exit, self.to_string());
        let words = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        match self {
            Self::IdentityExpired => screen
                .fact("expected", "proofs that are still good")
                .fact("presented", "proofs that have ended")
                .hint("start again with a fresh token"),
            Self::PolicyExpired(at) => screen
                .fact("expected", "a policy that has not ended")
                .fact("presented end", at)
                .hint("sign a policy with a later `not-after`"),
            Self::OtherWorkspace(workspace) => screen
                .fact("expected workspace", "one of the policy's")
                .fact("presented workspace", workspace)
                .hint("each policy names its workspaces"),
            Self::ProofMissing { kind, presented } => screen
                .fact("expected proof", kind)
                .fact("presented", presented)
                .hint("the settings must say where this proof comes from"),
            Self::NoScope(workload) => screen
                .fact("expected", "a scope whose selector matches")
                .fact("presented", workload)
                .hint("ask the platform team to add this job to a scope; `longhorn policy explain` shows every rule"),
            Self::AmbiguousScope(scopes) => screen
                .fact("expected", "one scope")
                .fact("presented", scopes.join(", "))
                .hint("the selectors of the scopes must not overlap"),
            Self::RoleMissing { expected, presented } => screen
                .fact("expected role", words(expected))
                .fact("presented roles", words(presented))
                .hint("run the job as a principal in a group that has the role; `longhorn policy explain` shows every rule"),
            Self::RoleDenied(role) => {
                screen.fact("expected", "no denied role").fact("presented role", role).hint("a deny wins over every other rule")
            }
            Self::RunNotPermitted(scope) => screen
                .fact("expected permission", "run")
                .fact("presented scope", format!("{scope}, which does not hold it"))
                .hint("the policy's author left `run` out on purpose, or forgot it"),
            Self::MetadataOpen { environment, proofs } => screen
                .fact("expected", format!("metadata-service = \"closed\" or \"closed-elsewhere\" in environment {environment}"))
                .fact("presented", format!("\"open\", and a cloud's token behind {}", words(proofs)))
                .hint(METADATA_HINT),
            Self::EnvironmentUnknown(environment) => screen
                .fact("expected environment", environment)
                .fact("presented", "none of that name")
                .hint("`longhorn policy check` shows what does not fit together"),
        }
    }
}
