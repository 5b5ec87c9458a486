//! The way of evidence as the sidecar walks it: ask every source, verify each claim alone, then agree.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use longhorn::evidence::{
    Auth, Bearer, Client, ClientProof, Failure, GraphSource, Hints, Kept, OidcSource, OpenIdIssuer, Source, SubjectToken,
    Volumes, WorkspaceSource, gather,
};
use longhorn::exit::Exit;
use longhorn::host::clock::{Clock, SystemClock, Timestamp};
use longhorn::host::http::Http;
use longhorn::host::random::SystemRandomness;
use longhorn::host::retry::Deadline;
use longhorn::host::secret::Secret;
use longhorn::identity::client_assertion::{AssertionRule, ClientKey};
use longhorn::identity::entra::{EntraRules, Overage, TokenVersion};
use longhorn::identity::ids::WorkspaceHost;
use longhorn::identity::job::JobIdentity;
use longhorn::identity::node_document::Occasion;
use longhorn::identity::trust::{OidcTrust, Provider, Trust};
use longhorn::identity::{Rules, Unproven, agree, verify};
use longhorn::screen::Screen;

/// Where it ended.
pub enum Stop {
    Unproven(Unproven),
    Failed(Failure),
}

impl Stop {
    /// What a person reads; a refusal and a failure have their own exits.
    pub fn screen(&self) -> Screen {
        match self {
            Self::Unproven(Unproven::Refused(refusal)) => {
                let screen = refusal.screen();
                assert_eq!((screen.exit, screen.reason.as_ref()), (Exit::RefusedEvidence, refusal.reason()));
                screen
            }
            Self::Unproven(malformed) => {
                let screen = malformed.screen();
                assert_eq!(screen.exit, Exit::Protocol);
                screen
            }
            Self::Failed(failure) => {
                let screen = failure.screen();
                assert!(matches!(screen.exit, Exit::Unavailable | Exit::Protocol));
                assert_eq!(screen.reason, failure.reason());
                screen
            }
        }
    }
}

/// What one walk starts from.
#[derive(Clone)]
pub struct Way<'a> {
    pub workspace: &'a str,
    pub secret: &'a str,
    /// Instead of the secret: a token about the agent, exchanged for one of the workspace's.
    pub subject_token: Option<String>,
    pub variables: BTreeMap<&'a str, &'a str>,
    pub trust: &'a Trust,
    pub token: &'a [u8],
    /// Instead of the token: the agent's own client of the issuer, for this resource.
    pub client: Option<(&'a str, &'a str)>,
    /// The client's key, in PEM, and how it signs; else it has a secret.
    pub key: Option<(&'a str, AssertionRule)>,
    /// The secret of the agent's client of Microsoft Graph.
    pub graph_secret: &'a str,
    pub listed: bool,
    /// Scopes are chosen by what a job says of itself.
    pub by_job: bool,
    pub patience: Duration,
    /// How far our clock is ahead when proofs are verified, in seconds.
    pub ahead: i64,
}

impl Way<'_> {
    fn workspace(&self) -> WorkspaceSource {
        let variable = |name: &str| self.variables.get(name).map(|value| (*value).to_owned());
        let secret = |text: &str| Secret::new(text.as_bytes()).expect("a secret");
        let auth = match &self.subject_token {
            None => Auth::MachineToMachine { client_id: "agent".into(), secret: secret(self.secret) },
            Some(token) => Auth::TokenExchange { client_id: Some("agent".into()), subject: SubjectToken::Given(secret(token)) },
        };
        WorkspaceSource {
            host: WorkspaceHost::try_from(self.workspace).expect("an origin"),
            auth,
            hints: Hints::from_variables(variable).expect("the hints are there"),
            by_job: self.by_job,
            granted: Kept::default(),
        }
    }

    /// Publishes a file, once.
    pub fn publish(&self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let (clock, random) = (SystemClock, SystemRandomness);
        let deadline = Deadline { clock: &clock, random: &random, end: clock.boot().plus(self.patience) };
        let http = Http::new(None).expect("TLS can be set up");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let workspace = self.workspace();
        runtime.block_on(async { Volumes::open(&http, &workspace, &deadline).await?.publish_once(Path::new(path), bytes).await })
    }

    pub fn walk(&self) -> Result<JobIdentity, Stop> {
        self.walk_again(&self.sources(), &SystemClock)
    }

    /// What a sidecar asks, walk for walk.
    pub fn sources(&self) -> [Source; 2] {
        let issuer = self.trust.oidc.values().next().expect("there is one");
        [
            Source::Databricks(self.workspace()),
            Source::Oidc(OidcSource {
                issuer: OpenIdIssuer::named_by(issuer),
                token: match self.client {
                    None => Bearer::Given(self.token.to_vec()),
                    Some((id, resource)) => Bearer::Client(Box::new(Client {
                        id: id.into(),
                        proof: match &self.key {
                            None => ClientProof::Secret(Secret::new(b"client-secret").expect("a secret")),
                            Some((pem, rule)) => {
                                let key = ClientKey::read(pem.as_bytes(), rule.clone()).expect("a key");
                                ClientProof::PrivateKey(Box::new(key))
                            }
                        },
                        scope: None,
                        resource: Some(resource.into()),
                        granted: Kept::default(),
                    })),
                },
                graph: self.graph(issuer).map(Box::new),
            }),
        ]
    }

    /// Microsoft Graph, where the policy has it asked.
    fn graph(&self, issuer: &OidcTrust) -> Option<GraphSource> {
        let Provider::Entra(EntraRules { overage: Overage::Graph(origin), version, .. }) = &issuer.provider else { return None };
        let (scope, resource) = match version {
            TokenVersion::V1 => (None, Some(origin.to_string())),
            TokenVersion::V2 => (Some(format!("{origin}/.default")), None),
        };
        let proof = match &self.key {
            None => ClientProof::Secret(Secret::new(self.graph_secret.as_bytes()).expect("a secret")),
            Some((pem, rule)) => ClientProof::PrivateKey(Box::new(ClientKey::read(pem.as_bytes(), rule.clone()).expect("a key"))),
        };
        let client = Client { id: "agent".into(), proof, scope, resource, granted: Kept::default() };
        Some(GraphSource { origin: origin.clone(), groups: issuer.groups.clone().expect("a claim"), client })
    }

    /// One more walk from the same sources, by this clock.
    pub fn walk_again(&self, sources: &[Source], clock: &dyn Clock) -> Result<JobIdentity, Stop> {
        let random = SystemRandomness;
        let deadline = Deadline { clock, random: &random, end: clock.boot().plus(self.patience) };
        let http = Http::new(None).expect("TLS can be set up");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let claims = runtime.block_on(gather(&http, sources, &deadline)).map_err(Stop::Failed)?;
        let now = Timestamp::from_seconds(clock.now().seconds() + self.ahead);
        let rules = Rules {
            trust: self.trust,
            listed: self.listed,
            period: Duration::from_secs(600),
            node_key: "",
            occasion: Occasion::Join,
            now,
        };
        let proofs = claims.iter().map(|claim| verify(claim, &rules)).collect::<Result<Vec<_>, _>>().map_err(Stop::Unproven)?;
        let identity = agree(proofs, self.trust, now).map_err(|refusal| Stop::Unproven(refusal.into()))?;
        Ok(identity.at(now).expect("it is fresh").clone())
    }

    /// `granted`, or the stable name of what it ended with; a refusal and a failure have their own exits.
    pub fn reason(&self) -> String {
        reason(self.walk())
    }
}

/// `granted`, or the stable name of what a walk ended with.
pub fn reason(walked: Result<JobIdentity, Stop>) -> String {
    walked.map_or_else(|stop| stop.screen().reason.into_owned(), |_| "granted".to_owned())
}
