//! What the answers of the workspace and the node itself say of one thing. One row for one field; the checks of
//! `identity/databricks.rs` name these rows, and the refusal is the row's.

use crate::identity::refusal::Refusal;

/// One row.
#[derive(Debug, PartialEq, Eq)]
pub struct Pair {
    /// The reason of the refusal when they differ.
    pub reason: &'static str,
    /// What differs, on the screen.
    pub what: &'static str,
    /// The field that is taken first.
    pub one: &'static str,
    /// The field that must agree with it.
    pub other: &'static str,
}

impl Pair {
    /// The refusal where they differ.
    pub(in crate::identity) fn differs(&'static self, expected: &str, presented: &str) -> Refusal {
        Refusal::Contradiction { pair: self, expected: expected.to_owned(), presented: presented.to_owned() }
    }

    /// Byte for byte.
    pub(in crate::identity) fn check(&'static self, expected: &str, presented: &str) -> Result<(), Refusal> {
        if expected == presented { Ok(()) } else { Err(self.differs(expected, presented)) }
    }
}

/// The cluster, by the node and by the workspace.
pub(in crate::identity) static CLUSTER: Pair =
    Pair { reason: "cluster-mismatch", what: "cluster", one: "the node's `DB_CLUSTER_ID`", other: "clusters/get `cluster_id`" };

/// Where the workspace sees the driver.
pub(in crate::identity) static DRIVER: Pair = Pair {
    reason: "driver-mismatch",
    what: "driver",
    one: "the node's `DB_IS_DRIVER` and `DB_CONTAINER_IP`",
    other: "clusters/get `driver.private_ip`, `executors.private_ip`",
};

/// Whether it is a job's cluster.
pub(in crate::identity) static SOURCE: Pair = Pair {
    reason: "cluster-source-mismatch",
    what: "source",
    one: "the node's `DB_CLUSTER_NAME` (of a job's cluster, or not)",
    other: "clusters/get `cluster_source`",
};

/// The run.
pub(in crate::identity) static RUN: Pair =
    Pair { reason: "run-mismatch", what: "run", one: "the run of the node's `DB_CLUSTER_NAME`", other: "jobs/runs/get `run_id`" };

/// Whose run it is.
pub(in crate::identity) static JOB_OF_RUN: Pair = Pair {
    reason: "run-of-another-job",
    what: "job",
    one: "the job of the node's `DB_CLUSTER_NAME`",
    other: "jobs/runs/get `job_id`",
};

/// Where the run runs.
pub(in crate::identity) static CLUSTER_OF_RUN: Pair = Pair {
    reason: "cluster-mismatch",
    what: "cluster",
    one: "clusters/get `cluster_id`",
    other: "jobs/runs/get `cluster_instance.cluster_id`, of the run or of a task",
};

/// The job.
pub(in crate::identity) static JOB: Pair = Pair {
    reason: "run-of-another-job",
    what: "job",
    one: "the job of the node's `DB_CLUSTER_NAME`",
    other: "jobs/get `job_id`",
};

/// `run_as` can be edited after the start; the cluster's own principal cannot.
pub(in crate::identity) static RUN_AS: Pair = Pair {
    reason: "run-as-mismatch",
    what: "principal",
    one: "clusters/get `single_user_name`",
    other: "jobs/get `run_as_user_name`",
};

/// Who that is.
pub(in crate::identity) static PRINCIPAL: Pair = Pair {
    reason: "run-as-mismatch",
    what: "principal",
    one: "jobs/get `run_as_user_name`; without a job clusters/get `single_user_name`",
    other: "SCIM `userName`, `applicationId` or `displayName`",
};

/// All of them.
pub static WITHIN_WORKSPACE: [&Pair; 9] =
    [&CLUSTER, &DRIVER, &SOURCE, &RUN, &JOB_OF_RUN, &CLUSTER_OF_RUN, &JOB, &RUN_AS, &PRINCIPAL];
