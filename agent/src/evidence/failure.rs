//! Could not tell. Never a yes, and never dressed up as a no.

use serde::de::IgnoredAny;

use crate::exit::Exit;
use crate::host::http::HttpError;
use crate::host::retry::GaveUp;
use crate::screen::Screen;

/// Who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The workspace's REST API.
    Workspace,
    /// An OpenID issuer.
    Issuer,
    /// The cloud's metadata service.
    Metadata,
    /// The issuer that certifies node keys.
    Certifier,
    /// Microsoft Graph.
    Graph,
    /// Amazon's STS.
    TokenService,
}

impl std::fmt::Display for Who {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Workspace => "the workspace",
            Self::Issuer => "the issuer",
            Self::Metadata => "the metadata service",
            Self::Certifier => "the issuer of node keys",
            Self::Graph => "Microsoft Graph",
            Self::TokenService => "Amazon's STS",
        })
    }
}

/// Why the evidence could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No usable answer before the deadline.
    #[error("{who} gave no usable answer in time")]
    Unavailable {
        /// Who was asked.
        who: Who,
        /// What was asked, without credentials.
        what: String,
        /// Why.
        #[source]
        cause: GaveUp,
    },
    /// The agent's own credentials were refused: nothing is known of the job.
    #[error("{who} does not accept the agent's credentials")]
    CredentialRefused {
        /// Who was asked.
        who: Who,
        /// What was asked.
        what: String,
        /// 400 or 401: who asks is not known. 403: it may not ask this.
        status: u16,
        /// The error code of a token endpoint (RFC 6749 §5.2), where it is one.
        said: Option<&'static str>,
    },
    /// The cloud gives this machine no token: it has no such identity, or that one may not have this.
    #[error("the cloud gives this machine no token for the agent")]
    IdentityRefused {
        /// What was asked.
        what: String,
        /// With which status.
        status: u16,
        /// The cloud's error code, where it is a known one.
        said: Option<&'static str>,
    },
    /// An answer that cannot be understood.
    #[error("{who} answered something that cannot be understood")]
    Unintelligible {
        /// Who was asked.
        who: Who,
        /// What was asked.
        what: String,
        /// What came instead of an answer.
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
    /// The issuer gives tokens where the policy does not allow the agent's secret to be sent.
    #[error("the issuer's token endpoint lies on a host that the policy does not name")]
    TokenEndpointElsewhere {
        /// The issuer's own host and those that the policy names.
        expected: String,
        /// Where the discovery document points.
        presented: String,
    },
}

impl Failure {
    /// Trying again came to its end. An answer that is complete and no answer of this service is not a late one.
    pub(super) fn gave_up(who: Who, what: &str, cause: GaveUp) -> Self {
        match cause {
            GaveUp::NoAnswer { last: last @ (HttpError::Redirected | HttpError::TooLarge), .. } => {
                Self::unintelligible(who, what, &last.to_string())
            }
            cause => Self::Unavailable { who, what: what.to_owned(), cause },
        }
    }

    /// An answer that cannot be understood.
    pub(super) fn unintelligible(who: Who, what: &str, detail: &str) -> Self {
        Self::Unintelligible { who, what: what.to_owned(), detail: detail.to_owned() }
    }

    /// In one sentence, for a list of many.
    pub fn sentence(&self) -> String {
        match self {
            Self::Unavailable { who, cause, .. } => format!("{who} gave no usable answer in time: {}", with_root(cause)),
            Self::CredentialRefused { who, status, .. } => format!("{who} does not let the agent ask this (status {status})"),
            Self::Unintelligible { who, detail, .. } => format!("{who} answered something that cannot be understood: {detail}"),
            Self::IdentityRefused { .. } | Self::KeysElsewhere { .. } | Self::TokenEndpointElsewhere { .. } => self.to_string(),
        }
    }

    /// The stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unavailable { who: Who::Workspace, .. } => "workspace-unavailable",
            Self::Unavailable { who: Who::Issuer, .. } => "issuer-unavailable",
            Self::Unavailable { who: Who::Metadata, .. } => "metadata-unavailable",
            Self::Unavailable { who: Who::Certifier, .. } => "certifier-unavailable",
            Self::Unavailable { who: Who::Graph, .. } => "graph-unavailable",
            Self::Unavailable { who: Who::TokenService, .. } => "sts-unavailable",
            Self::CredentialRefused { who: Who::Workspace, .. } => "workspace-credential-refused",
            Self::CredentialRefused { who: Who::Issuer, .. } => "issuer-credential-refused",
            Self::CredentialRefused { who: Who::Metadata, .. } => "metadata-credential-refused",
            Self::CredentialRefused { who: Who::Certifier, .. } => "certifier-credential-refused",
            Self::CredentialRefused { who: Who::Graph, .. } => "graph-credential-refused",
            Self::CredentialRefused { who: Who::TokenService, .. } => "sts-credential-refused",
            Self::Unintelligible { who: Who::Workspace, .. } => "workspace-unintelligible",
            Self::Unintelligible { who: Who::Issuer, .. } => "issuer-unintelligible",
            Self::Unintelligible { who: Who::Metadata, .. } => "metadata-unintelligible",
            Self::Unintelligible { who: Who::Certifier, .. } => "certifier-unintelligible",
            Self::Unintelligible { who: Who::Graph, .. } => "graph-unintelligible",
            Self::Unintelligible { who: Who::TokenService, .. } => "sts-unintelligible",
            Self::IdentityRefused { .. } => "machine-identity-refused",
            Self::KeysElsewhere { .. } => "keys-elsewhere",
            Self::TokenEndpointElsewhere { .. } => "token-endpoint-elsewhere",
        }
    }

    /// What a person reads.
    pub fn screen(&self) -> Screen {
        let exit = match self {
            Self::Unavailable { .. } | Self::CredentialRefused { .. } | Self::IdentityRefused { .. } => Exit::Unavailable,
            Self::Unintelligible { .. } | Self::KeysElsewhere { .. } | Self::TokenEndpointElsewhere { .. } => Exit::Protocol,
        };
        let screen = Screen::failed(self.reason(), exit, self.to_string());
        match self {
            Self::Unavailable { what, cause, .. } => screen
                .fact("asked", what)
                .fact("expected", "an answer before the deadline")
                .fact("presented", with_root(cause))
                .hint(match cause {
                    GaveUp::NoAnswer { .. } => {
                        "nothing was decided; the job does not start. Check the network from this cluster, then start it again"
                    }
                    GaveUp::AskedToWait { .. } | GaveUp::KeptFailing { .. } => {
                        "nothing was decided; the job does not start. The service is overloaded or broken: start again later"
                    }
                }),
            Self::CredentialRefused { who, what, status, said } => {
                let screen = screen.fact("asked", what).fact("expected status", 200).fact("presented status", status);
                let screen = said.iter().fold(screen, |screen, said| screen.fact("presented error", said));
                screen.hint(renew(*who, *status, *said))
            }
            Self::IdentityRefused { what, status, said } => screen
                .fact("asked", what)
                .fact("expected", "a token of the identity that the settings ask for")
                .fact("presented", said.map_or_else(|| format!("status {status}"), |said| format!("status {status}, {said}")))
                .hint(
                    "give this machine that identity: a managed identity (Azure), an instance profile (AWS), a service account \
                     (Google)",
                ),
            Self::Unintelligible { who, what, detail } => screen
                .fact("asked", what)
                .fact(
                    "expected",
                    match who {
                        Who::Workspace | Who::Issuer | Who::Graph | Who::Certifier => format!("an answer of {who}, in JSON"),
                        Who::Metadata => format!("what {who} of the cloud answers"),
                        Who::TokenService => format!("an answer of {who}, in XML"),
                    },
                )
                .fact("presented", detail)
                .hint(format!("is this the address of {who}, or of something in between?")),
            Self::KeysElsewhere { expected, presented } | Self::TokenEndpointElsewhere { expected, presented } => screen
                .fact("expected hosts", expected)
                .fact("presented host", presented)
                .hint("add the host to `jwks-hosts` in the signed policy if it is the issuer's"),
        }
    }
}

/// What to do about credentials that somebody refuses.
fn renew(who: Who, status: u16, said: Option<&str>) -> &'static str {
    match (who, status, said) {
        (Who::Issuer, _, Some("invalid_scope" | "invalid_target")) => {
            "the client may not ask for this: `scope` and `resource` of its [[oidc]] must be what it is registered for"
        }
        (Who::Issuer, ..) => "the agent's client is unknown, or its secret or key is wrong or has expired: see its [[oidc]]",
        (Who::Graph, 403, _) => {
            "give the client of [[oidc]] graph the application permissions GroupMember.Read.All and User.ReadBasic.All (of \
             applications: Application.Read.All), and consent to them"
        }
        (Who::Graph, ..) => {
            "Microsoft Graph does not take the token that the tenant just gave: is `graph-host` of the tenant's cloud?"
        }
        (Who::Certifier, ..) => "who answers at `url` of [authority]?",
        (Who::Metadata, ..) => "does this machine answer metadata requests, and to whom?",
        (Who::TokenService, _, Some("OutboundWebIdentityFederationDisabled")) => {
            "an administrator of the AWS account must enable outbound web identity federation"
        }
        (Who::TokenService, _, Some("AccessDenied" | "SessionDurationEscalation")) => {
            "the machine's role needs sts:GetWebIdentityToken and, for a proof, sts:TagGetWebIdentityToken, for this audience, \
             algorithm and lifetime"
        }
        (Who::TokenService, ..) => "are the machine's clock and `region` right, and is the role still there?",
        (Who::Workspace, 403, _) => "give the agent's service principal CAN VIEW on the job and CAN ATTACH TO on the cluster",
        (Who::Workspace, ..) => "the agent's credential is wrong or has expired: renew what `workspace.auth` names",
    }
}

/// The bytes of an answer, if they are JSON in UTF-8: what a proxy or a broken server sends instead says nothing about
/// the job, so it is no refusal.
pub(super) fn framed(who: Who, what: &str, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let detail = match std::str::from_utf8(&body) {
        Err(error) => format!("a body that is not UTF-8 from byte {} on", error.valid_up_to()),
        Ok(text) => match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => return Ok(body),
            Err(error) if error.is_eof() => "JSON that ends too early".to_owned(),
            Err(_) => "a body that is not JSON".to_owned(),
        },
    };
    Err(Failure::unintelligible(who, what, &detail))
}

/// An error, what caused it, and where that began: the layers in between say nothing that a person can use.
fn with_root(error: &GaveUp) -> String {
    let mut words = vec![error.to_string()];
    if let Some(cause) = std::error::Error::source(error) {
        words.push(cause.to_string());
        let root = std::iter::successors(cause.source(), |one| one.source()).last();
        words.extend(root.map(ToString::to_string));
    }
    words.join(": ")
}
