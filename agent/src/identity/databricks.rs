//! What the workspace says of this node, checked for contradictions. The connection was authenticated by TLS; here the
//! answers must agree with one another and with what the node says of itself.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::agreement::Machine;
use super::agreement::answers::{CLUSTER, CLUSTER_OF_RUN, DRIVER, JOB, JOB_OF_RUN, PRINCIPAL, RUN, RUN_AS, SOURCE};
use super::ids::{ClusterId, ComputePolicyId, GroupName, JobId, NodeAddress, PrincipalName, RunId};
use super::job::{Membership, NodeRole, Principal, PrincipalKind, Workload, on_screen};
use super::refusal::Refusal;
use super::unproven::Unproven;
use super::verified::{Basis, Verified};
use super::verify::{DatabricksProof, Proof, Rules};
use crate::evidence::{Answered, DatabricksClaim};
use crate::host::digest::sha256_hex;

#[derive(Deserialize)]
struct Cluster {
    cluster_id: String,
    #[serde(default)]
    cluster_source: String,
    state: String,
    single_user_name: Option<String>,
    policy_id: Option<String>,
    driver: Option<Node>,
    #[serde(default)]
    executors: Vec<Node>,
}

impl Cluster {
    fn addresses(&self) -> impl Iterator<Item = &str> {
        self.nodes().filter_map(|node| node.private_ip.as_deref())
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.driver.iter().chain(&self.executors)
    }

    /// What is listed of the machine behind an address.
    fn machine(&self, address: &str) -> Option<Machine> {
        let node = self.nodes().find(|node| node.private_ip.as_deref() == Some(address))?;
        Some(Machine { instance: node.instance_id.clone(), address: node.host_private_ip.clone() })
    }
}

#[derive(Deserialize)]
struct Node {
    private_ip: Option<String>,
    instance_id: Option<String>,
    host_private_ip: Option<String>,
}

#[derive(Deserialize)]
struct Run {
    run_id: u64,
    job_id: u64,
    cluster_instance: Option<ClusterInstance>,
    #[serde(default)]
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Task {
    cluster_instance: Option<ClusterInstance>,
}

#[derive(Deserialize)]
struct ClusterInstance {
    cluster_id: String,
}

#[derive(Deserialize)]
struct Job {
    job_id: u64,
    run_as_user_name: String,
    settings: JobSettings,
}

#[derive(Deserialize)]
struct JobSettings {
    #[serde(default)]
    name: String,
    #[serde(default)]
    tags: std::collections::BTreeMap<String, String>,
    edit_mode: Option<String>,
    deployment: Option<Deployment>,
}

#[derive(Deserialize)]
struct Deployment {
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(rename = "Resources", default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    user_name: Option<String>,
    application_id: Option<String>,
    display_name: Option<String>,
    active: Option<bool>,
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    display: String,
}

/// Verifies what the workspace said.
pub(super) fn verify(claim: &DatabricksClaim, rules: &Rules<'_>) -> Result<Verified<Proof>, Unproven> {
    let cluster: Cluster = document(&claim.cluster, "cluster", claim.hints.cluster.as_str(), "clusters/get (cluster_id, state)")?;
    CLUSTER.check(claim.hints.cluster.as_str(), &cluster.cluster_id)?;
    if !["PENDING", "RUNNING", "RESTARTING", "RESIZING"].contains(&cluster.state.as_str()) {
        return Err(Refusal::ClusterEnded(cluster.state).into());
    }
    let (membership, role) = place(&cluster, claim, rules)?;
    let (workload, run_as) = workload(claim, &cluster)?;
    let (principal, groups) = principal(claim, &run_as)?;
    let proof = DatabricksProof {
        host: claim.host.clone(),
        cluster: ClusterId::try_from(cluster.cluster_id.as_str()).map_err(|_| malformed("cluster", "a cluster id"))?,
        node: claim.hints.address.clone(),
        role,
        membership,
        workload,
        principal,
        groups,
        compute_policy: cluster.policy_id.as_deref().and_then(|id| ComputePolicyId::try_from(id).ok()),
        machine: cluster.machine(claim.hints.address.as_str()),
        members: cluster.addresses().filter_map(|address| NodeAddress::try_from(address).ok()).collect(),
    };
    let basis = Basis {
        voucher: claim.host.to_string(),
        key: None,
        checked: rules.now,
        good_until: rules.now.plus(rules.period),
        digest: digest(claim),
        got_with: claim.got_with,
    };
    Ok(Verified::new(Proof::Databricks(Box::new(proof)), basis))
}

/// Is this node one of the cluster's, and which part does it play?
fn place(cluster: &Cluster, claim: &DatabricksClaim, rules: &Rules<'_>) -> Result<(Membership, NodeRole), Refusal> {
    let ours = claim.hints.address.as_str();
    let driver = cluster.driver.as_ref().and_then(|node| node.private_ip.as_deref());
    let role = if claim.hints.driver { NodeRole::Driver } else { NodeRole::Worker };
    let worker = cluster.executors.iter().any(|node| node.private_ip.as_deref() == Some(ours));
    match (driver == Some(ours), worker) {
        (true, _) if role == NodeRole::Worker => Err(DRIVER.differs(ours, "a worker")),
        (false, true) if role == NodeRole::Driver => Err(DRIVER.differs(driver.unwrap_or("none yet"), ours)),
        (true, _) | (_, true) => Ok((Membership::Listed, role)),
        // A driver that the workspace knows under another address is not late: it is somebody else.
        (false, false) if role == NodeRole::Driver && driver.is_some() => Err(DRIVER.differs(driver.unwrap_or_default(), ours)),
        (false, false) if rules.listed => {
            let listed: Vec<&str> = cluster.addresses().collect();
            let expected = if listed.is_empty() { "none listed yet".to_owned() } else { listed.join(", ") };
            Err(Refusal::NodeNotListed { expected, presented: ours.to_owned() })
        }
        (false, false) => Ok((Membership::Provisional, role)),
    }
}

/// Which job and run, and as whom they run.
fn workload(claim: &DatabricksClaim, cluster: &Cluster) -> Result<(Workload, String), Unproven> {
    let of_job = cluster.cluster_source == "JOB";
    let Some((job_id, run_id)) = &claim.hints.job else {
        if of_job {
            return Err(SOURCE.differs("JOB", "a name that names no job").into());
        }
        let name = cluster.single_user_name.clone().filter(|name| !name.is_empty()).ok_or(Refusal::NotDedicated)?;
        return Ok((Workload::Interactive, name));
    };
    // Anybody may give an all-purpose cluster the name of a job cluster.
    if !of_job {
        return Err(SOURCE.differs("JOB", &cluster.cluster_source).into());
    }
    let run: Run =
        document(claim.run.as_ref().unwrap_or(&Answered::Unknown), "run", run_id.as_str(), "jobs/runs/get (run_id, job_id)")?;
    RUN.check(run_id.as_str(), &run.run_id.to_string())?;
    JOB_OF_RUN.check(job_id.as_str(), &run.job_id.to_string())?;
    let clusters: Vec<&str> = (run.cluster_instance.iter())
        .chain(run.tasks.iter().filter_map(|task| task.cluster_instance.as_ref()))
        .map(|instance| instance.cluster_id.as_str())
        .collect();
    if !clusters.contains(&cluster.cluster_id.as_str()) {
        return Err(CLUSTER_OF_RUN.differs(&cluster.cluster_id, clusters.first().unwrap_or(&"none yet")).into());
    }
    let Some(answered) = &claim.job else {
        return beside_the_driver(claim, cluster, &run);
    };
    let job: Job = document(answered, "job", job_id.as_str(), "jobs/get (job_id, run_as_user_name, settings)")?;
    JOB.check(job_id.as_str(), &job.job_id.to_string())?;
    // `run_as` can be edited after the start; the cluster's own principal cannot.
    if let Some(single) = cluster.single_user_name.as_deref().filter(|single| *single != job.run_as_user_name) {
        return Err(RUN_AS.differs(on_screen(single), on_screen(&job.run_as_user_name)).into());
    }
    let settings = job.settings;
    let locked = settings.edit_mode.as_deref() == Some("UI_LOCKED")
        && settings.deployment.is_some_and(|deployment| deployment.kind == "BUNDLE");
    let workload = Workload::Job {
        job: JobId::try_from(job.job_id.to_string().as_str()).map_err(|_| malformed("job", "a job id"))?,
        run: RunId::try_from(run.run_id.to_string().as_str()).map_err(|_| malformed("run", "a run id"))?,
        name: settings.name,
        tags: settings.tags.into_iter().collect(),
        locked,
    };
    Ok((workload, job.run_as_user_name))
}

/// A worker's, where no scope is chosen by what the job says of itself. As whom it runs says the cluster, which is dedicated to
/// one principal from its start; that the job runs as the same one is for the driver to check.
fn beside_the_driver(claim: &DatabricksClaim, cluster: &Cluster, run: &Run) -> Result<(Workload, String), Unproven> {
    let single = cluster.single_user_name.clone().filter(|_| !claim.hints.driver);
    let Some(name) = single.filter(|name| !name.is_empty()) else {
        return Err(Refusal::Unknown { what: "job", id: run.job_id.to_string() }.into());
    };
    let workload = Workload::Job {
        job: JobId::try_from(run.job_id.to_string().as_str()).map_err(|_| malformed("job", "a job id"))?,
        run: RunId::try_from(run.run_id.to_string().as_str()).map_err(|_| malformed("run", "a run id"))?,
        name: String::new(),
        tags: Vec::new(),
        locked: false,
    };
    Ok((workload, name))
}

/// Exactly one principal of exactly that name, and the groups that SCIM gives it. Nested groups are not expanded there,
/// so they give no role.
fn principal(claim: &DatabricksClaim, name: &str) -> Result<(Principal, BTreeSet<GroupName>), Unproven> {
    let found: Found =
        document(claim.principal.as_ref().unwrap_or(&Answered::Unknown), "principal", on_screen(name), "a SCIM list")?;
    let [resource] = &found.resources[..] else {
        return Err(Refusal::Unknown { what: "principal", id: on_screen(name).to_owned() }.into());
    };
    let (kind, presented) = match (&resource.user_name, &resource.application_id, &resource.display_name) {
        (Some(user), _, _) => (PrincipalKind::User, user),
        (None, Some(application), _) => (PrincipalKind::ServicePrincipal, application),
        (None, None, Some(group)) => (PrincipalKind::Group, group),
        (None, None, None) => return Err(malformed("principal", "userName, applicationId or displayName")),
    };
    if name != presented {
        return Err(PRINCIPAL.differs(on_screen(name), on_screen(presented)).into());
    }
    if resource.active == Some(false) {
        return Err(Refusal::PrincipalInactive.into());
    }
    let mut names: Vec<&str> = resource.groups.iter().map(|group| group.display.as_str()).collect();
    // A cluster that is dedicated to a group runs with that group's rights alone.
    if kind == PrincipalKind::Group {
        names = vec![presented];
    }
    let groups = names.iter().filter_map(|name| GroupName::try_from(format!("databricks:{name}").as_str()).ok()).collect();
    let name = PrincipalName::try_from(presented.as_str()).map_err(|_| malformed("principal", "a printable name"))?;
    Ok((Principal { kind, name }, groups))
}

fn document<T: DeserializeOwned>(answered: &Answered, what: &'static str, id: &str, detail: &'static str) -> Result<T, Unproven> {
    match answered {
        Answered::Unknown => Err(Refusal::Unknown { what, id: id.to_owned() }.into()),
        Answered::Document(bytes) => serde_json::from_slice(bytes).map_err(|_| malformed(what, detail)),
    }
}

fn malformed(what: &'static str, detail: &'static str) -> Unproven {
    Unproven::Malformed { what, detail }
}

/// Over every answer, each behind its length.
fn digest(claim: &DatabricksClaim) -> String {
    let answers = [Some(&claim.cluster), claim.run.as_ref(), claim.job.as_ref(), claim.principal.as_ref()];
    let bytes: Vec<u8> = answers
        .into_iter()
        .flatten()
        .flat_map(|answered| match answered {
            Answered::Document(bytes) => [&(bytes.len() as u64).to_le_bytes()[..], bytes].concat(),
            Answered::Unknown => u64::MAX.to_le_bytes().to_vec(),
        })
        .collect();
    sha256_hex(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Hints;
    use crate::identity::GotWith;
    use crate::identity::ids::WorkspaceHost;

    #[test]
    fn only_a_worker_of_a_cluster_that_is_dedicated_to_somebody_goes_without_the_job() {
        let document = |text: String| Answered::Document(text.into_bytes());
        for (driver, single, expected) in [
            (false, r#","single_user_name":"ada@example.com""#, Some("ada@example.com")),
            (false, r#","single_user_name":"""#, None),
            (false, "", None),
            (true, r#","single_user_name":"ada@example.com""#, None),
        ] {
            let text = format!(r#"{{"cluster_id":"0101-1-a","cluster_source":"JOB","state":"RUNNING"{single}}}"#);
            let cluster: Cluster = serde_json::from_str(&text).unwrap();
            let claim = DatabricksClaim {
                host: WorkspaceHost::try_from("https://dbc-1.example.com").unwrap(),
                hints: Hints {
                    cluster: ClusterId::try_from("0101-1-a").unwrap(),
                    address: NodeAddress::try_from("10.0.0.2").unwrap(),
                    driver,
                    job: Some((JobId::try_from("1").unwrap(), RunId::try_from("5").unwrap())),
                },
                cluster: document(text),
                run: Some(document(r#"{"run_id":5,"job_id":1,"cluster_instance":{"cluster_id":"0101-1-a"}}"#.into())),
                job: None,
                principal: None,
                got_with: GotWith::Given,
            };
            let found = workload(&claim, &cluster).map(|(_, name)| name).ok();
            assert_eq!(found.as_deref(), expected, "driver {driver}{single}");
        }
    }
}
