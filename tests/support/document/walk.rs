//! The way of a case: a workspace that lists its machine, what is said is verified, and all of it agrees.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longhorn::evidence::{Auth, Claim, Hints, Kept, NodeDocumentClaim, Source, WorkspaceSource, gather};
use longhorn::host::clock::{Clock, SystemClock, Timestamp};
use longhorn::host::http::Http;
use longhorn::host::random::SystemRandomness;
use longhorn::host::retry::Deadline;
use longhorn::host::secret::Secret;
use longhorn::identity::ids::WorkspaceHost;
use longhorn::identity::job::JobIdentity;
use longhorn::identity::node_document::{NodeRefusal, Occasion};
use longhorn::identity::node_trust::{Certificate, NodeTrust};
use longhorn::identity::trust::Trust;
use longhorn::identity::{Refusal, Rules, Unproven, agree, verify};
use longhorn::unverified::Unverified;
use serde_json::Value;
use simulator::documents::Signer;
use simulator::scenario::{CLUSTER, JOB, RUN, Scenario};

use super::{AWS_MACHINE, AZURE_MACHINE, Case, GCP_MACHINE, NODE_KEY, World};

impl Case {
    /// The machine that the workspace lists, where the case says nothing else.
    fn listed(&self) -> Value {
        match self.cloud.as_str() {
            "azure" => AZURE_MACHINE.replace('-', "").into(),
            "gcp" => GCP_MACHINE.into(),
            _ => AWS_MACHINE.into(),
        }
    }

    pub fn scenario(&self) -> Scenario {
        let mut scenario = Scenario::honest();
        let cluster = scenario.clusters.get_mut(CLUSTER).expect("it is there");
        cluster["driver"]["instance_id"] = self.listed();
        if self.late {
            cluster["driver"] = Value::Null;
        }
        for (pointer, value) in &self.set {
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a slash");
            match cluster.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {pointer}")) {
                Value::Array(list) => list[name.parse::<usize>().expect("a place in a list")] = value.clone(),
                parent => parent[name] = value.clone(),
            }
        }
        for pointer in &self.unset {
            *cluster.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing at {pointer}")) = Value::Null;
        }
        scenario
    }

    /// Gathers, verifies and agrees.
    pub fn walk(&self, world: &World) -> Result<JobIdentity, Unproven> {
        world.simulator.edit(|scenario| *scenario = self.scenario());
        let made = self.made(world);
        let claims = self.gathered(world, made.as_ref());
        let mut trust = world.trust(self);
        if let (true, Some(made), Some(NodeTrust::Aws(aws))) = (self.listed_certificate, &made, &mut trust.node) {
            let text = STANDARD.encode(&made.certificate);
            let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
            aws.certificates.insert("us-west-2".into(), Certificate::from_pem(&pem).expect("it reads"));
        }
        judge(&claims, &trust, self.renewal, self.clock, !self.late)
    }

    fn gathered(&self, world: &World, made: Option<&Signer>) -> Vec<Unverified<Claim>> {
        let http = Http::new(None).expect("TLS can be set up");
        let (clock, random) = (SystemClock, SystemRandomness);
        let deadline = Deadline { clock: &clock, random: &random, end: clock.boot().plus(Duration::from_secs(10)) };
        let sources = [Source::Databricks(workspace(world.simulator.url()))];
        let mut claims = block_on(gather(&http, &sources, &deadline)).unwrap_or_else(|failure| panic!("{failure}"));
        claims.extend(self.said(world, made).map(|claim| Unverified::new(Claim::NodeDocument(claim))));
        claims
    }
}

pub fn workspace(url: &str) -> WorkspaceSource {
    let name = format!("job-{JOB}-run-{RUN}-main");
    let variables = BTreeMap::from([
        ("DB_CLUSTER_ID", CLUSTER),
        ("DB_CONTAINER_IP", "127.0.0.1"),
        ("DB_IS_DRIVER", "TRUE"),
        ("DB_CLUSTER_NAME", &name),
    ]);
    let variable = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    WorkspaceSource {
        host: WorkspaceHost::try_from(url).expect("an origin"),
        auth: Auth::MachineToMachine { client_id: "agent".into(), secret: Secret::new(b"agent-secret").expect("a secret") },
        hints: Hints::from_variables(variable).expect("the hints are there"),
        by_job: true,
        granted: Kept::default(),
    }
}

/// Verifies and agrees.
pub fn judge(
    claims: &[Unverified<Claim>],
    trust: &Trust,
    renewal: bool,
    ahead: i64,
    listed: bool,
) -> Result<JobIdentity, Unproven> {
    let now = Timestamp::from_seconds(SystemClock.now().seconds() + ahead);
    let occasion = if renewal { Occasion::Renewal } else { Occasion::Join };
    let rules = Rules { trust, listed, period: Duration::from_secs(600), node_key: NODE_KEY, occasion, now };
    let proofs = claims.iter().map(|claim| verify(claim, &rules)).collect::<Result<Vec<_>, _>>()?;
    let identity = agree(proofs, trust, now)?;
    Ok(identity.at(now).expect("it is fresh").clone())
}

/// Judges one document alone.
pub fn verify_alone(claim: NodeDocumentClaim, trust: &Trust, node_key: &str, now: Timestamp) -> Result<(), NodeRefusal> {
    let rules = Rules { trust, listed: true, period: Duration::from_secs(600), node_key, occasion: Occasion::Join, now };
    match verify(&Unverified::new(Claim::NodeDocument(claim)), &rules) {
        Ok(_) => Ok(()),
        Err(Unproven::Refused(Refusal::Node(refusal))) => Err(refusal),
        Err(other) => panic!("{other:?}"),
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts").block_on(future)
}
