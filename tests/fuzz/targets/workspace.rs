//! What the workspace answers: clusters/get, jobs/runs/get, jobs/get and SCIM.

use std::collections::{BTreeMap, BTreeSet};

use longhorn::evidence::{Answered, Claim, DatabricksClaim, Hints};
use longhorn::host::clock::{Clock, SystemClock};
use longhorn::identity::ids::WorkspaceHost;
use longhorn::identity::trust::{ProofKind, Trust};
use longhorn::identity::{GotWith, Unproven, agree, verify};
use longhorn::unverified::Unverified;
use serde_json::json;
use simulator::scenario::{CLUSTER, DRIVER, JOB, PRINCIPAL, RUN};

use super::{Take, choice, chosen, fixtures, rules, shapes, shown, split, timed};
use crate::support::evidence::Case;

fn host() -> WorkspaceHost {
    WorkspaceHost::try_from("https://dbc-1.example.com").expect("an origin")
}

fn hints(job: bool, driver: bool) -> Hints {
    let name = format!("job-{JOB}-run-{RUN}-main");
    let variables = BTreeMap::from([
        ("DB_CLUSTER_ID", CLUSTER),
        ("DB_CONTAINER_IP", DRIVER),
        ("DB_IS_DRIVER", if driver { "TRUE" } else { "FALSE" }),
        ("DB_CLUSTER_NAME", if job { &name } else { "notebooks" }),
    ]);
    Hints::from_variables(|name| variables.get(name).map(|value| (*value).to_owned())).expect("the hints are there")
}

/// A choice of what the node says of itself; four lines, of which an empty one is an answer that there is no such thing.
pub fn answers() -> Take {
    let trust = Trust {
        workspaces: BTreeSet::from([host()]),
        require: BTreeSet::from([ProofKind::Databricks]),
        oidc: BTreeMap::new(),
        saml: BTreeMap::new(),
        node: None,
    };
    Box::new(move |bytes| {
        let (kind, rest) = choice(bytes);
        let (cluster, rest) = split(rest, b'\n');
        let (run, rest) = split(rest, b'\n');
        let (job, principal) = split(rest, b'\n');
        let said = |line: &[u8]| if line.is_empty() { Answered::Unknown } else { Answered::Document(line.to_vec()) };
        let claim = DatabricksClaim {
            host: host(),
            hints: hints(kind & 1 == 0, kind & 2 == 0),
            cluster: said(cluster),
            run: Some(said(run)),
            job: (kind & 4 == 0).then(|| said(job)),
            principal: Some(said(principal)),
            got_with: GotWith::Given,
        };
        let claim = Unverified::new(Claim::Databricks(Box::new(claim)));
        let outcome = timed(bytes.len(), || {
            let proof = verify(&claim, &rules(&trust, ""))?;
            agree(vec![proof], &trust, SystemClock.now()).map_err(Unproven::from)
        });
        if let Err(unproven) = outcome {
            shown(&unproven.screen());
        }
    })
}

pub fn seeds() -> Vec<Vec<u8>> {
    let url = "https://dbc-1.example.com";
    let mut seeds = Vec::new();
    for text in fixtures("workspace") {
        let case = Case::read(&text.replace("@URL@", url));
        let held = case.scenario();
        let of = |map: &BTreeMap<String, serde_json::Value>, id: &str| map.get(id).map(ToString::to_string).unwrap_or_default();
        let found = json!({ "Resources": held.principals.get(PRINCIPAL).into_iter().collect::<Vec<_>>() }).to_string();
        let honest = [of(&held.clusters, CLUSTER), of(&held.runs, RUN), of(&held.jobs, JOB), found];
        let kind = u8::from(case.node.name.is_some()) | u8::from(case.node.worker) << 1;
        seeds.push(chosen(kind, honest.join("\n")));
        // A false body takes the place of each answer in turn.
        for body in case.fault.iter().filter_map(|fault| fault.body.as_ref()) {
            for place in 0..honest.len() {
                let mut answers = honest.clone();
                answers[place] = body.replace('\n', " ");
                seeds.push(chosen(kind, answers.join("\n")));
            }
        }
    }
    seeds
}

pub fn worst() -> Vec<Vec<u8>> {
    let cluster =
        json!({ "cluster_id": CLUSTER, "cluster_source": "JOB", "state": "RUNNING", "driver": { "private_ip": DRIVER } });
    let mut nodes = cluster.clone();
    nodes["executors"] = (0..2000).map(|at| json!({ "private_ip": format!("10.0.{}.{}", at / 256, at % 256) })).collect();
    let tasks: Vec<_> = (0..1400).map(|_| json!({ "cluster_instance": { "cluster_id": "x" } })).collect();
    let run = json!({ "run_id": RUN.parse::<u64>().ok(), "job_id": JOB.parse::<u64>().ok(), "tasks": tasks });
    let groups: Vec<_> = (0..3000).map(|at| json!({ "display": format!("g{at}") })).collect();
    let found = json!({ "Resources": [{ "applicationId": PRINCIPAL, "groups": groups }] });
    let mut worst: Vec<Vec<u8>> =
        shapes::json().iter().flat_map(|shape| [chosen(0, shape), chosen(0, [b"{}\n", &shape[..]].concat())]).collect();
    worst.push(chosen(0, nodes.to_string()));
    worst.push(chosen(0, format!("{cluster}\n{run}")));
    let own = json!({ "cluster_instance": { "cluster_id": CLUSTER } });
    let run = json!({ "run_id": RUN.parse::<u64>().ok(), "job_id": JOB.parse::<u64>().ok(), "tasks": [own] });
    let job = json!({ "job_id": JOB.parse::<u64>().ok(), "run_as_user_name": PRINCIPAL, "settings": {} });
    worst.push(chosen(0, format!("{cluster}\n{run}\n{job}\n{found}")));
    worst
}
