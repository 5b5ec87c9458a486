//! What the workspace holds, as documents in the shapes of the REST API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::entra::{APPLICATION_ID, GROUP_ID, USER_ID};
use crate::metastore::Metastore;

/// One workspace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// OAuth client id and secret of the agent's service principal.
    pub client: (String, String),
    /// clusters/get by cluster id.
    pub clusters: BTreeMap<String, Value>,
    /// jobs/get by job id.
    pub jobs: BTreeMap<String, Value>,
    /// jobs/runs/get by run id.
    pub runs: BTreeMap<String, Value>,
    /// SCIM resources by user name, application id or group name.
    pub principals: BTreeMap<String, Value>,
    /// Groups of users in the directory, by object id.
    pub directory_users: BTreeMap<String, Vec<String>>,
    /// The same of applications.
    pub directory_applications: BTreeMap<String, Vec<String>>,
    /// How long access tokens serve, in seconds; 0: an hour.
    pub token_life: u32,
    /// The address of the real MLflow server that answers for the workspace's; without one it has none.
    pub mlflow: Option<String>,
    /// What STS writes into its tokens besides, or in the place of what it would.
    pub sts_claims: Value,
    /// Unity Catalog.
    pub metastore: Metastore,
}

/// Names in the honest scenario.
pub const CLUSTER: &str = "1001-234039-abcde739";
/// See [`CLUSTER`].
pub const JOB: &str = "605777310657626";
/// See [`CLUSTER`].
pub const RUN: &str = "1020337925419295";
/// The service principal that the job runs as.
pub const PRINCIPAL: &str = "7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c11";
/// Who made the job.
pub const USER: &str = "ada@example.com";
/// The driver's address.
pub const DRIVER: &str = "127.0.0.1";

impl Scenario {
    /// A job cluster that runs one job of a bundle as a service principal in the group `ml-eng`.
    pub fn honest() -> Self {
        Self {
            client: ("agent".into(), "agent-secret".into()),
            clusters: [(
                CLUSTER.to_owned(),
                json!({
                    "cluster_id": CLUSTER, "cluster_name": format!("job-{JOB}-run-{RUN}-main"), "cluster_source": "JOB",
                    "creator_user_name": USER, "single_user_name": PRINCIPAL, "data_security_mode": "SINGLE_USER",
                    "policy_id": "ABC123", "spark_version": "16.4.x-scala2.12", "state": "RUNNING", "num_workers": 1,
                    "driver": { "node_id": "d", "instance_id": "i-0", "private_ip": DRIVER, "host_private_ip": "10.0.0.1" },
                    "executors": [{ "node_id": "e", "instance_id": "i-1", "private_ip": "127.0.0.2", "host_private_ip": "10.0.0.2" }],
                }),
            )]
            .into(),
            jobs: [(
                JOB.to_owned(),
                json!({
                    "job_id": JOB.parse::<u64>().unwrap_or(0), "creator_user_name": USER, "run_as_user_name": PRINCIPAL,
                    "settings": { "name": "fraud-training", "tags": { "team": "fraud" }, "edit_mode": "UI_LOCKED", "deployment": { "kind": "BUNDLE" } },
                }),
            )]
            .into(),
            runs: [(
                RUN.to_owned(),
                json!({
                    "run_id": RUN.parse::<u64>().unwrap_or(0), "job_id": JOB.parse::<u64>().unwrap_or(0), "creator_user_name": USER,
                    "run_type": "JOB_RUN", "state": { "life_cycle_state": "RUNNING" },
                    "tasks": [{ "run_id": 2, "task_key": "main", "cluster_instance": { "cluster_id": CLUSTER, "spark_context_id": "1" } }],
                }),
            )]
            .into(),
            principals: [
                (
                    PRINCIPAL.to_owned(),
                    json!({
                        "id": "42", "applicationId": PRINCIPAL, "displayName": "fraud-training", "active": true,
                        "groups": [{ "display": "ml-eng", "type": "direct", "value": "7", "$ref": "Groups/7" }],
                    }),
                ),
                (
                    USER.to_owned(),
                    json!({
                        "id": "43", "userName": USER, "displayName": "Ada", "active": true,
                        "emails": [{ "type": "work", "value": USER, "primary": true }],
                    }),
                ),
            ]
            .into(),
            sts_claims: json!({}),
            metastore: Metastore::honest(),
            token_life: 0,
            mlflow: None,
            directory_users: [(USER_ID.to_owned(), vec![GROUP_ID.to_owned()])].into(),
            directory_applications: [(APPLICATION_ID.to_owned(), vec![GROUP_ID.to_owned()])].into(),
        }
    }
}
