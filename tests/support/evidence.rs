//! A case of evidence as a document: what is changed of an honest workspace, issuer, token and node.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longhorn::host::clock::{Clock, SystemClock};
use longhorn::identity::entra::{EntraRules, Overage, TokenVersion};
use longhorn::identity::ids::{Audience, DirectoryId, GraphOrigin, Issuer, LocalName, PrincipalName, WorkspaceHost};
use longhorn::identity::trust::{Algorithm, KeyBinding, OidcTrust, ProofKind, Provider, SubjectEquals, SubjectRule, Trust};
use serde::Deserialize;
use serde_json::{Map, Value};
use simulator::Simulator;
use simulator::entra::{APPLICATION_ID, TENANT, USER_ID};
use simulator::faults::Fault;
use simulator::scenario::{CLUSTER, JOB, PRINCIPAL, RUN, Scenario};

use crate::way::Way;

/// What is changed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Case {
    pub token: Token,
    pub node: Node,
    pub trust: Trusted,
    /// Faults of the answers.
    pub fault: Vec<Fault>,
    /// Parts of what the workspace holds, by JSON pointer.
    pub set: BTreeMap<String, Value>,
    /// The agent's secret.
    pub secret: Option<String>,
    /// The secret of its client of Microsoft Graph.
    pub graph_secret: Option<String>,
    /// The agent is a client of the issuer with this id, for this resource, instead of having a token.
    pub client: Option<(String, String)>,
    /// A token about the agent that it has instead of a secret.
    pub subject: Option<Token>,
    /// How far our clock is ahead, in seconds.
    pub clock: i64,
    /// How long is tried, in seconds, where it is not for ever that a fault stands.
    pub patience: Option<u64>,
    /// Nobody listens at the issuer's or the workspace's address.
    pub nobody: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Token {
    /// Names of the honest header and claims with another value; `now+60` is a time.
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    /// Claims that are left out.
    pub without: Vec<String>,
    /// The whole header, or all the claims, as text.
    pub header_text: Option<String>,
    pub claims_text: Option<String>,
    /// Text behind the opening brace of the claims.
    pub inserted: String,
    /// Which key signs; see `simulator::issuer`.
    pub key: Option<String>,
    /// Of the finished token: so much is kept, so much is lost at its end, this is put before and behind, the first of
    /// these becomes that.
    pub kept: Option<usize>,
    pub lost: usize,
    pub before: String,
    pub behind: String,
    pub replaced: Option<(String, String)>,
    /// This in its place, so often.
    pub bytes: Option<Vec<u8>>,
    pub times: Option<usize>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Node {
    pub address: Option<String>,
    pub worker: bool,
    pub name: Option<String>,
    /// The settings allow the workspace to list it later.
    pub late: bool,
    /// The policy chooses scopes by nothing that a job says of itself.
    pub by_id: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Trusted {
    pub workspace: Option<String>,
    pub require: Vec<String>,
    pub jwks_host: Option<String>,
    /// `entra-v1`, `entra-v2` or `okta`: the issuer that the policy trusts, and whose tokens these are.
    pub provider: Option<String>,
    /// What the issuer's address has behind the host, where no provider says so.
    pub path: String,
    /// Groups that did not fit are asked for at Microsoft Graph.
    pub graph: bool,
    /// The claim that holds groups.
    pub groups: Option<String>,
    /// How subjects are compared, where it is not by application id.
    #[serde(skip)]
    pub equals: Option<SubjectEquals>,
}

impl Case {
    pub fn read(text: &str) -> Self {
        toml::from_str(text).unwrap_or_else(|error| panic!("not a case: {error}"))
    }

    /// Walks the way, from a simulator that is honest again for the next case.
    pub fn walk<T>(&self, simulator: &Simulator, walk: impl FnOnce(&Way) -> T) -> T {
        simulator.mend();
        simulator.edit(|scenario| *scenario = self.scenario());
        let token = self.token.mint(simulator, &self.trust);
        self.fault.iter().for_each(|fault| simulator.fault(fault.clone()));
        let name = self.node.name.clone().unwrap_or_else(|| format!("job-{JOB}-run-{RUN}-main"));
        // Port 1 is for a service that nobody runs.
        let url = if self.nobody { "http://127.0.0.1:1" } else { simulator.url() };
        walk(&Way {
            workspace: url,
            secret: self.secret.as_deref().unwrap_or("agent-secret"),
            subject_token: self
                .subject
                .as_ref()
                .map(|token| String::from_utf8(token.mint(simulator, &Trusted::default())).expect("a token is text")),
            variables: BTreeMap::from([
                ("DB_CLUSTER_ID", CLUSTER),
                ("DB_CONTAINER_IP", self.node.address.as_deref().unwrap_or("127.0.0.1")),
                ("DB_IS_DRIVER", if self.node.worker { "FALSE" } else { "TRUE" }),
                ("DB_CLUSTER_NAME", &name),
            ]),
            trust: &self.trust.of(url),
            token: &token,
            client: self.client.as_ref().map(|(id, resource)| (id.as_str(), resource.as_str())),
            key: None,
            graph_secret: self.graph_secret.as_deref().unwrap_or("agent-secret"),
            listed: !self.node.late,
            by_job: !self.node.by_id,
            patience: match self.patience {
                Some(seconds) => Duration::from_secs(seconds),
                None if self.fault.is_empty() && !self.nobody => Duration::from_secs(5),
                None => Duration::from_millis(1500),
            },
            ahead: self.clock,
        })
    }

    /// What the workspace holds.
    pub fn scenario(&self) -> Scenario {
        let mut held = serde_json::to_value(Scenario::honest()).expect("a scenario is JSON");
        for (pointer, value) in &self.set {
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a slash");
            let parent = held.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {pointer}"));
            match parent {
                Value::Array(list) => list[name.parse::<usize>().expect("a place in a list")] = value.clone(),
                parent => parent[name] = value.clone(),
            }
        }
        serde_json::from_value(held).expect("it is still a scenario")
    }
}

impl Token {
    fn mint(&self, simulator: &Simulator, trust: &Trusted) -> Vec<u8> {
        self.minted(&trust.issuer(simulator.url()), trust, &|header, claims, key| simulator.mint(header, claims, key))
    }

    /// The same of another issuer, which signs header and claims with the key of a name.
    pub fn minted(&self, issuer: &str, trust: &Trusted, sign: &dyn Fn(&str, &str, &str) -> String) -> Vec<u8> {
        if let Some(bytes) = &self.bytes {
            return bytes.repeat(self.times.unwrap_or(1));
        }
        let now = SystemClock.now().seconds();
        let mut claims = serde_json::json!({
            "iss": issuer, "aud": "longhorn", "sub": PRINCIPAL, "iat": now, "exp": now + 600, "groups": ["ml-engineers"],
        });
        let object = claims.as_object_mut().expect("an object");
        object.extend(trust.shape());
        object.extend(self.claims.iter().map(|(name, value)| (name.clone(), at(value, now))));
        self.without.iter().for_each(|name| drop(object.remove(name)));
        let mut header = serde_json::json!({ "alg": "RS256", "kid": "rsa-1", "typ": "JWT" });
        let object = header.as_object_mut().expect("an object");
        object.extend(self.header.clone());
        let header = self.header_text.clone().unwrap_or_else(|| header.to_string());
        let claims = self.claims_text.clone().unwrap_or_else(|| claims.to_string());
        let claims = claims.replacen('{', &format!("{{{}", self.inserted), 1);
        let mut token = sign(&header, &claims, self.key.as_deref().unwrap_or("rsa"));
        if let Some((from, to)) = &self.replaced {
            token = token.replacen(from, to, 1);
        }
        token.truncate(self.kept.unwrap_or(token.len() - self.lost));
        format!("{}{token}{}", self.before, self.behind).into_bytes()
    }
}

/// `now`, `now+60`, `now-60`: seconds since 1970.
fn at(value: &Value, now: i64) -> Value {
    let Some(rest) = value.as_str().and_then(|text| text.strip_prefix("now")) else { return value.clone() };
    let by = if rest.is_empty() { 0 } else { rest.parse::<i64>().expect("now+60 or now-60") };
    (now + by).into()
}

impl Trusted {
    fn entra(&self) -> Option<TokenVersion> {
        match self.provider.as_deref() {
            Some("entra-v1") => Some(TokenVersion::V1),
            Some("entra-v2") => Some(TokenVersion::V2),
            Some("okta") | None => None,
            Some(other) => panic!("no provider {other}"),
        }
    }

    fn issuer(&self, url: &str) -> String {
        match self.entra() {
            Some(TokenVersion::V1) => format!("{url}/{TENANT}/"),
            Some(TokenVersion::V2) => format!("{url}/{TENANT}/v2.0"),
            None => format!("{url}{}", self.path),
        }
    }

    fn provider(&self, url: &str) -> Provider {
        let overage = match GraphOrigin::try_from(url) {
            Ok(origin) if self.graph => Overage::Graph(origin),
            _ => Overage::Refuse,
        };
        let tenant = DirectoryId::try_from(TENANT).expect("a tenant");
        match self.entra() {
            Some(version) => Provider::Entra(EntraRules { tenant, version, overage }),
            None if self.provider.is_some() => Provider::Okta,
            None => Provider::Standard,
        }
    }

    /// Whom a directory's object or a login is at the workspace: the policy's map says.
    fn subject(&self) -> SubjectRule {
        let map = |claim: &str, subjects: &[&str]| {
            let principal = PrincipalName::try_from(PRINCIPAL).expect("a principal");
            let rows = subjects.iter().map(|subject| ((*subject).to_owned(), principal.clone())).collect();
            SubjectRule { claim: claim.to_owned(), equals: SubjectEquals::Map(rows) }
        };
        match self.provider.as_deref() {
            Some("okta") => map("uid", &["00u1abcd"]),
            Some(_) => map("oid", &[USER_ID, APPLICATION_ID]),
            None => SubjectRule { claim: "sub".into(), equals: self.equals.clone().unwrap_or(SubjectEquals::ApplicationId) },
        }
    }

    /// What tokens of a provider hold besides what every token holds.
    fn shape(&self) -> Map<String, Value> {
        let shape = match self.provider.as_deref() {
            Some("entra-v1") => serde_json::json!({
                "ver": "1.0", "tid": TENANT, "oid": USER_ID, "sub": "pairwise", "appid": "a-client", "appidacr": "1",
                "scp": "run", "uti": "u", "unique_name": "ada@example.com",
            }),
            Some("entra-v2") => serde_json::json!({
                "ver": "2.0", "tid": TENANT, "oid": USER_ID, "sub": "pairwise", "azp": "a-client", "azpacr": "1",
                "scp": "run", "uti": "u", "preferred_username": "ada@example.com",
            }),
            Some("okta") => serde_json::json!({
                "ver": 1, "jti": "AT.1", "cid": "a-client", "uid": "00u1abcd", "scp": ["openid", "run"],
                "sub": "ada@example.com", "auth_time": 1,
            }),
            _ => serde_json::json!({}),
        };
        shape.as_object().expect("an object").clone()
    }

    fn of(&self, url: &str) -> Trust {
        let name = LocalName::try_from("okta").expect("a name");
        let host = WorkspaceHost::try_from(self.workspace.as_deref().unwrap_or(url)).expect("an origin");
        let hosts = self.jwks_host.clone().unwrap_or_else(|| url.trim_start_matches("http://").to_owned());
        let issuer = OidcTrust {
            name: name.clone(),
            issuer: Issuer::try_from(self.issuer(url).as_str()).expect("an issuer"),
            jwks_hosts: BTreeSet::from([hosts]),
            audience: Audience::try_from("longhorn").expect("an audience"),
            algorithms: BTreeSet::from([Algorithm::RS256, Algorithm::ES256]),
            types: BTreeSet::from(["jwt".to_owned(), "at+jwt".to_owned()]),
            groups: Some(self.groups.clone().unwrap_or_else(|| "groups".into())),
            subject: self.subject(),
            provider: self.provider(url),
            node_key: KeyBinding::Unbound,
        };
        let more = self.require.iter().map(|kind| ProofKind::Oidc(LocalName::try_from(kind.as_str()).expect("a name")));
        Trust {
            workspaces: BTreeSet::from([host]),
            require: [ProofKind::Databricks, ProofKind::Oidc(name.clone())].into_iter().chain(more).collect(),
            oidc: BTreeMap::from([(name, issuer)]),
            saml: BTreeMap::new(),
            node: None,
        }
    }
}
