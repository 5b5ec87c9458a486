//! Issues a context: the only place that turns a [`Grant`] into what a job is told.

use std::time::Duration;

use super::authority::Certificate;
use super::claims::{Claims, JobClaim, LockClaim, NodeClaim, PolicyClaim, PrincipalClaim, ProofClaim};
use super::compact::{self, Header};
use super::node_key::NodeKey;
use crate::decision::grant::Grant;
use crate::host::clock::Timestamp;
use crate::host::random::{Random, uuid_v7};
use crate::identity::job::{SpeaksFor, Workload};

/// What a job is told, signed. Only [`issue`] makes one.
#[derive(Debug)]
#[must_use]
pub struct Context {
    claims: Claims,
    token: String,
    expires: Timestamp,
}

impl Context {
    /// What it says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
    /// The signed token (JWS compact serialisation).
    pub fn token(&self) -> &str {
        &self.token
    }
    /// The claims as JSON for programs.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.claims).expect("claims are strings, numbers and lists of them");
        text.push('\n');
        text
    }
    /// When it ends.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
}

/// The lock as `init` put it in place.
#[derive(Clone, Debug)]
pub struct LockSummary {
    /// SHA-256 (hex) over the sealed lock.
    pub digest: String,
    /// `full`, `degraded` or `none`.
    pub strength: String,
    /// Ways that the node leaves open, by name.
    pub open: Vec<String>,
}

/// What issuing needs besides the grant.
pub struct Issuing<'a> {
    /// The node key.
    pub key: &'a NodeKey,
    /// The authority's certificate of that key, where the authority is a key.
    pub certificate: Option<&'a Certificate>,
    /// The lock, once it is in place.
    pub lock: Option<&'a LockSummary>,
    /// The principal's name as it may stand in a context: a pseudonym for persons unless the policy says `clear`.
    pub principal: &'a str,
    /// The kernel's boot id.
    pub boot: &'a str,
    /// Whom the token is for.
    pub audience: &'a str,
    /// How long it lives; never beyond the grant.
    pub lifetime: Duration,
    /// Now.
    pub now: Timestamp,
    /// For the `jti`.
    pub random: &'a dyn Random,
}

/// Issues a context for a grant.
pub fn issue(grant: &Grant, with: &Issuing<'_>) -> Context {
    let identity = grant.identity();
    let expires = with.now.plus(with.lifetime).min(grant.good_until());
    let environment = grant.environment();
    let mut open: Vec<String> = environment.open.iter().cloned().collect();
    open.extend(with.lock.iter().flat_map(|lock| lock.open.iter().cloned()));
    open.sort();
    open.dedup();
    let claims = Claims {
        iss: format!("longhorn:{}", identity.workspace),
        sub: subject(grant, with.principal),
        aud: with.audience.to_owned(),
        iat: with.now.seconds(),
        nbf: with.now.seconds(),
        exp: expires.seconds(),
        jti: uuid_v7(with.now, with.random),
        node: NodeClaim {
            address: identity.node.to_string(),
            role: identity.role.word().to_owned(),
            boot: with.boot.to_owned(),
            key: with.key.public().thumbprint(),
        },
        cluster: identity.cluster.to_string(),
        job: match &identity.workload {
            Workload::Job { job, run, .. } => Some(JobClaim { id: job.to_string(), run: run.to_string() }),
            Workload::Interactive => None,
        },
        run_as: PrincipalClaim { kind: identity.principal.kind.word().to_owned(), name: with.principal.to_owned() },
        roles: grant.roles().iter().map(ToString::to_string).collect(),
        scope: grant.scope().to_string(),
        permissions: grant.permissions().iter().map(|permission| permission.word().to_owned()).collect(),
        clearance: grant.clearance().iter().map(ToString::to_string).collect(),
        environment: environment.name.to_string(),
        environment_digest: environment.digest(),
        enforcement: grant.enforcement().word().to_owned(),
        open,
        policy: PolicyClaim { serial: grant.policy_serial(), digest: grant.policy_digest().to_owned() },
        lock: with.lock.map(|lock| LockClaim { digest: lock.digest.clone(), strength: lock.strength.clone() }),
        membership: identity.membership.word().to_owned(),
        proofs: identity
            .proofs
            .iter()
            .map(|proof| ProofClaim {
                kind: proof.kind.clone(),
                voucher: proof.basis.voucher.clone(),
                digest: proof.basis.digest.clone(),
                speaks_for: match proof.speaks_for {
                    SpeaksFor::Job => "job",
                    SpeaksFor::Agent => "agent",
                    SpeaksFor::Node => "node",
                }
                .to_owned(),
                got_with: proof.basis.got_with.word().to_owned(),
            })
            .collect(),
    };
    let token = sign(&claims, with.key, with.certificate);
    Context { claims, token, expires }
}

/// A SPIFFE ID (SPIFFE-ID §2): the trust domain is the workspace's host name; path segments keep to its alphabet.
fn subject(grant: &Grant, principal: &str) -> String {
    let identity = grant.identity();
    let host = identity.workspace.as_str().split("://").nth(1).unwrap_or_default().split(':').next().unwrap_or_default();
    match &identity.workload {
        Workload::Job { job, run, .. } => format!("spiffe://{host}/workspace/{host}/job/{job}/run/{run}"),
        Workload::Interactive => {
            let principal: String = principal
                .chars()
                .map(|letter| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '_' })
                .collect();
            format!("spiffe://{host}/workspace/{host}/cluster/{}/principal/{principal}", identity.cluster)
        }
    }
}

pub(super) fn sign(claims: &Claims, key: &NodeKey, certificate: Option<&Certificate>) -> String {
    let lhc = certificate.map(|certificate| certificate.as_str().to_owned());
    compact::sign(
        &Header { alg: "EdDSA".into(), kid: key.public().thumbprint(), lhc, typ: super::seal::TYPE.into() },
        claims,
        key,
    )
}
