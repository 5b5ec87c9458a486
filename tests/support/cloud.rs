//! A case of a cloud's token as a document: what is changed of an honest metadata service, STS, token and policy.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use longhorn::config::read_settings;
use longhorn::config::settings::{SubjectFrom, TokenFrom, WorkspaceAuth};
use longhorn::evidence::{
    Auth, Bearer, CloudTokenSource, Hints, Kept, OidcSource, OpenIdIssuer, Source, SubjectToken, WorkspaceSource, gather,
};
use longhorn::host::clock::{Clock, SystemClock};
use longhorn::host::http::Http;
use longhorn::host::random::SystemRandomness;
use longhorn::host::retry::Deadline;
use longhorn::host::secret::Secret;
use longhorn::identity::cloud_token::CloudToken;
use longhorn::identity::ids::{Audience, Issuer, LocalName, WorkspaceHost};
use longhorn::identity::job::JobIdentity;
use longhorn::identity::node_document::Occasion;
use longhorn::identity::trust::{Algorithm, KeyBinding, OidcTrust, ProofKind, Provider, SubjectEquals, SubjectRule, Trust};
use longhorn::identity::{Rules, agree, verify};
use longhorn::screen::Screen;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use simulator::Simulator;
use simulator::faults::Fault;
use simulator::imds::{Held, Imds};
use simulator::login::{ACCOUNT, WORKLOAD};
use simulator::scenario::{CLUSTER, JOB, PRINCIPAL, RUN, Scenario};
use simulator::sts::{REGION, role_credentials};

/// RFC 8037 appendix A.3.
pub const NODE_KEY: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
pub const AZURE: &str = "/metadata/identity/oauth2/token";
pub const GCP: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";
pub const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
/// Which of Azure's identities there is besides the machine's own.
pub const USER_ASSIGNED: &str = "a5ff4cbb-0a50-4c9b-a04e-5a4a4a0e2d11";

/// What is changed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Case {
    /// `azure`, `gcp`, `aws`.
    pub cloud: String,
    /// The token is a proof; else it is exchanged for one of the workspace's.
    pub proof: bool,
    /// More keys of the token in the settings.
    pub settings: String,
    /// The policy's `node-key`.
    pub node_key: Option<String>,
    /// Another node's key, under which the token was fetched.
    pub fetched_by: Option<String>,
    /// Claims of the token with another value.
    pub claims: Map<String, Value>,
    /// Answers of the metadata service, by path: status and body.
    pub answers: BTreeMap<String, (u16, String)>,
    /// It fails with this status so often first.
    pub failing: Option<(u16, u32)>,
    pub redirect: bool,
    pub unflavoured: bool,
    pub slow: bool,
    /// Faults of workspace and STS.
    pub fault: Vec<Fault>,
    /// How far the node's clock is ahead, in seconds.
    pub clock: i64,
    /// How long is tried, in seconds.
    pub patience: Option<u64>,
}

/// A network of this thread's own, in which the address is this machine's.
#[expect(clippy::print_stdout, reason = "a named skip is what the run reports")]
pub fn link() -> Option<Imds> {
    if nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).is_err() {
        println!("SKIP a cloud's tokens at the metadata service's real address: it needs root");
        return None;
    }
    for arguments in [&["link", "set", "lo", "up"][..], &["address", "add", "169.254.169.254/32", "dev", "lo"]] {
        let output = Command::new("ip").args(arguments).output().expect("ip is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Some(Imds::start().expect("the address is ours"))
}

impl Case {
    pub fn read(text: &str) -> Self {
        toml::from_str(text).unwrap_or_else(|error| panic!("not a case: {error}"))
    }

    pub fn of(cloud: &str, proof: bool) -> Self {
        Self { cloud: cloud.into(), proof, ..Self::default() }
    }

    /// The token as it stands in the settings, read by the settings' own reader.
    fn token(&self, simulator: &Simulator) -> CloudToken {
        let endpoint = simulator.url();
        let (kind, more) = match self.cloud.as_str() {
            "azure" => ("azure-imds", ", resource = \"api://longhorn\"".to_owned()),
            "gcp" => ("gcp-metadata", String::new()),
            _ => ("aws-web-identity", format!(", algorithm = \"RS256\", endpoint = \"{endpoint}\"")),
        };
        let audience = if self.proof || self.cloud == "azure" { String::new() } else { format!(", audience = \"{ACCOUNT}\"") };
        let token = format!("{{ kind = \"{kind}\"{more}{audience}{} }}", self.settings);
        let (auth, oidc) = match self.proof {
            false => (format!("{{ kind = \"token-exchange\", client-id = \"agent\", subject-token = {token} }}"), String::new()),
            true => (
                "{ kind = \"token\", secret = { kind = \"file\", path = \"/t\" } }".to_owned(),
                format!("[[oidc]]\nname = \"cloud\"\ntoken = {token}\n"),
            ),
        };
        let text = format!(
            "[workspace]\nhost = \"https://a.example\"\nauth = {auth}\nmembership = \"at-init\"\n[policy]\nfile = \"p\"\n\
             signer = \"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\nmin-serial = 1\n\
             [authority]\nkind = \"published\"\ndirectory = \"/keys\"\n{oidc}"
        );
        let settings = read_settings("longhorn.toml", &text).unwrap_or_else(|problems| panic!("{problems}"));
        match (settings.workspace.auth, settings.tokens.into_iter().next().map(|source| source.token)) {
            (WorkspaceAuth::TokenExchange { subject: SubjectFrom::Cloud(token), .. }, _) | (_, Some(TokenFrom::Cloud(token))) => {
                token
            }
            (_, _) => panic!("no cloud's token"),
        }
    }

    fn audience(&self) -> &str {
        if self.proof { "longhorn" } else { ACCOUNT }
    }

    /// What the metadata service holds.
    pub fn held(&self, simulator: &Simulator) -> Held {
        let now = SystemClock.now().seconds();
        let audience = match self.node_key.as_deref() {
            Some("audience") => format!("{}/{}", self.audience(), self.fetched_by.as_deref().unwrap_or(NODE_KEY)),
            _ => self.audience().to_owned(),
        };
        let mut claims = json!({
            "iss": simulator.url(), "aud": audience, "sub": WORKLOAD, "azp": "somebody", "iat": now, "exp": now + 3600,
            "email": "agent@acme-fraud.iam.gserviceaccount.com", "email_verified": true,
        });
        claims.as_object_mut().expect("an object").extend(self.claims.clone());
        let token = simulator.mint(r#"{"alg":"RS256","kid":"rsa-1","typ":"JWT"}"#, &claims.to_string(), "rsa");
        let granted = json!({
            "access_token": token, "client_id": USER_ASSIGNED, "expires_in": "86399", "expires_on": (now + 86399).to_string(),
            "ext_expires_in": "86399", "not_before": now.to_string(), "resource": "api://longhorn", "token_type": "Bearer",
        });
        let account = json!({ "aliases": ["default"], "email": "agent@acme-fraud.iam.gserviceaccount.com", "scopes": [] });
        let bodies = [
            (AZURE, granted.to_string()),
            (GCP, token),
            ("/computeMetadata/v1/instance/service-accounts/default/", account.to_string()),
            (ROLES, "agent".to_owned()),
            ("/latest/meta-data/iam/security-credentials/agent", role_credentials()),
            ("/latest/meta-data/placement/region", REGION.to_owned()),
            ("/latest/meta-data/placement/availability-zone", format!("{REGION}a")),
        ];
        Held {
            bodies: bodies.map(|(path, body)| (path.to_owned(), body.into_bytes())).into(),
            answers: self.answers.clone(),
            identities: vec![USER_ASSIGNED.into()],
            failing: self.failing,
            redirect: self.redirect.then(|| format!("{}/elsewhere", simulator.url())),
            slow: self.slow.then_some(Duration::from_secs(8)),
            unflavoured: self.unflavoured,
        }
    }

    /// What the workspace holds, and STS says.
    fn scenario(&self) -> Scenario {
        let mut claims = self.claims.clone();
        if let Some(other) = &self.fetched_by {
            let sts = json!({ "request_tags": { "longhorn-node-key": other } });
            claims.entry("https://sts.amazonaws.com/").or_insert(sts);
        }
        Scenario { sts_claims: claims.into(), ..Scenario::honest() }
    }

    pub fn trust(&self, simulator: &Simulator) -> Trust {
        let name = LocalName::try_from("cloud").expect("a name");
        let word = |word: &String| KeyBinding::WORDS.iter().find(|(known, _)| known == word).expect("such a binding").1;
        let issuer = OidcTrust {
            name: name.clone(),
            issuer: Issuer::try_from(simulator.url()).expect("an issuer"),
            jwks_hosts: BTreeSet::from([simulator.url().trim_start_matches("http://").to_owned()]),
            audience: Audience::try_from(self.audience()).expect("an audience"),
            algorithms: BTreeSet::from([Algorithm::RS256]),
            types: BTreeSet::from(["jwt".to_owned()]),
            groups: None,
            subject: SubjectRule { claim: "sub".into(), equals: SubjectEquals::ApplicationId },
            provider: Provider::Standard,
            node_key: self.node_key.as_ref().map_or(KeyBinding::Unbound, word),
        };
        Trust {
            workspaces: BTreeSet::from([WorkspaceHost::try_from(simulator.url()).expect("an origin")]),
            require: BTreeSet::from([ProofKind::Databricks]),
            oidc: BTreeMap::from([(name, issuer)]),
            saml: BTreeMap::new(),
            node: None,
        }
    }

    /// What a sidecar asks, walk for walk.
    pub fn sources(&self, simulator: &Simulator) -> Vec<Source> {
        let variables = BTreeMap::from([
            ("DB_CLUSTER_ID", CLUSTER.to_owned()),
            ("DB_CONTAINER_IP", "127.0.0.1".to_owned()),
            ("DB_IS_DRIVER", "TRUE".to_owned()),
            ("DB_CLUSTER_NAME", format!("job-{JOB}-run-{RUN}-main")),
        ]);
        let token = self.token(simulator);
        let secret = Secret::new(b"agent-secret").expect("a secret");
        let workspace = |auth| {
            Source::Databricks(WorkspaceSource {
                host: WorkspaceHost::try_from(simulator.url()).expect("an origin"),
                auth,
                hints: Hints::from_variables(|name| variables.get(name).cloned()).expect("the hints are there"),
                by_job: true,
                granted: Kept::default(),
            })
        };
        if !self.proof {
            let subject = SubjectToken::Cloud(Box::new(CloudTokenSource::to_exchange(token)));
            return vec![workspace(Auth::TokenExchange { client_id: Some("agent".into()), subject })];
        }
        let trust = &self.trust(simulator).oidc.into_values().next().expect("there is one");
        vec![
            workspace(Auth::MachineToMachine { client_id: "agent".into(), secret }),
            Source::Oidc(OidcSource {
                issuer: OpenIdIssuer::named_by(trust),
                token: Bearer::Cloud(Box::new(CloudTokenSource::as_proof(token, trust, NODE_KEY))),
                graph: None,
            }),
        ]
    }

    /// From the metadata service to agreement.
    pub fn walk(&self, simulator: &Simulator, imds: &Imds) -> Result<JobIdentity, Screen> {
        simulator.mend();
        simulator.edit(|scenario| *scenario = self.scenario());
        self.fault.iter().for_each(|fault| simulator.fault(fault.clone()));
        imds.hold(self.held(simulator));
        self.walk_from(simulator, &self.sources(simulator))
    }

    /// One more walk from the same sources.
    pub fn walk_from(&self, simulator: &Simulator, sources: &[Source]) -> Result<JobIdentity, Screen> {
        let clock = Ahead(self.clock);
        let patience = Duration::from_secs(self.patience.unwrap_or(10));
        let deadline = Deadline { clock: &clock, random: &SystemRandomness, end: clock.boot().plus(patience) };
        let http = Http::new(None).expect("TLS can be set up");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let claims = runtime.block_on(gather(&http, sources, &deadline)).map_err(|failure| failure.screen())?;
        let (trust, now) = (&self.trust(simulator), SystemClock.now());
        let period = Duration::from_secs(600);
        let rules = Rules { trust, listed: true, period, node_key: NODE_KEY, occasion: Occasion::Join, now };
        let proofs = claims.iter().map(|claim| verify(claim, &rules)).collect::<Result<Vec<_>, _>>();
        let identity = agree(proofs.map_err(|unproven| unproven.screen())?, trust, now).map_err(|refusal| refusal.screen())?;
        assert_eq!(identity.at(now).expect("it is fresh").principal.name.as_str(), PRINCIPAL);
        Ok(identity.at(now).expect("it is fresh").clone())
    }
}

/// A clock that is so many seconds ahead.
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> longhorn::host::clock::Timestamp {
        longhorn::host::clock::Timestamp::from_seconds(SystemClock.now().seconds() + self.0)
    }

    fn boot(&self) -> longhorn::host::clock::BootTime {
        SystemClock.boot()
    }
}
