//! Could not tell. Never a yes, and never dressed up as a no.

use crate::exit::Exit;
use crate::host::retry::GaveUp;
use crate::screen::Screen;

/// Why the evidence could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No usable answer before the deadline.
    #[error("{who} did not answer in time")]
    Unavailable {
        /// The workspace or an issuer.
        who: &'static str,
        /// What was asked, without credentials.
        what: String,
        /// Why.
        #[source]
        cause: GaveUp,
    },
    /// The agent's own credentials were refused: nothing is known of the job.
    #[error("the workspace does not accept the agent's credentials")]
    CredentialRefused {
        /// What was asked.
        what: String,
        /// 401 or 403.
        status: u16,
    },
    /// An answer that cannot be understood.
    #[error("{who} answered something that cannot be understood")]
    Unintelligible {
        /// The workspace or an issuer.
        who: &'static str,
        /// What was asked.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The issuer's keys lie where the policy does not allow them to be fetched from.
    #[error("the issuer's keys lie on a host that the policy does not name")]
    KeysElsewhere {
        /// The hosts that the policy names.
        expected: String,
        /// Where the discovery document points.
        presented: String,
    },
}

impl Failure {
    /// The stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unavailable { who: "the workspace", .. } => "workspace-unavailable",
            Self::Unavailable { .. } => "issuer-unavailable",
            Self::CredentialRefused { .. } => "workspace-credential-refused",
            Self::Unintelligible { who: "the workspace", .. } => "workspace-unintelligible",
            Self::Unintelligible { .. } => "issuer-unintelligible",
            Self::KeysElsewhere { .. } => "keys-elsewhere",
        }
    }

    /// What a person reads.
    pub fn screen(&self) -> Screen {
        let exit = match self {
            Self::Unavailable { .. } | Self::CredentialRefused { .. } => Exit::Unavailable,
            Self::Unintelligible { .. } | Self::KeysElsewhere { .. } => Exit::Protocol,
        };
        let screen = Screen::failed(self.reason(), exit, self.to_string());
        match self {
            Self::Unavailable { what, cause, .. } => {
                let screen = screen.fact("asked", what).fact("cause", cause);
                let deeper = std::error::Error::source(cause).map(ToString::to_string);
                deeper
                    .into_iter()
                    .fold(screen, |screen, text| screen.fact("because", text))
                    .hint("nothing was decided; the job does not start. Check the network from this cluster, then start it again")
            }
            Self::CredentialRefused { what, status } => screen.fact("asked", what).fact("presented status", status).hint(
                "renew the agent's secret, and give its service principal CAN VIEW on the job and CAN ATTACH TO on the cluster",
            ),
            Self::Unintelligible { what, detail, .. } => screen
                .fact("asked", what)
                .fact("presented", detail)
                .hint("is this the address of a workspace, or of something in between?"),
            Self::KeysElsewhere { expected, presented } => screen
                .fact("expected hosts", expected)
                .fact("presented host", presented)
                .hint("add the host to `jwks-hosts` in the signed policy if it is the issuer's"),
        }
    }
}
