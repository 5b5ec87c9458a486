//! What the platform tells an init script through `DB_*` variables. Hints: whoever names a cluster writes part of them.

use crate::identity::ids::{ClusterId, IdError, JobId, NodeAddress, RunId};

/// The hints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hints {
    /// `DB_CLUSTER_ID`.
    pub cluster: ClusterId,
    /// `DB_CONTAINER_IP`.
    pub address: NodeAddress,
    /// `DB_IS_DRIVER`.
    pub driver: bool,
    /// From `DB_CLUSTER_NAME`, where it has the form of a job cluster's: `job-<job>-run-<run>[-<key>]`.
    pub job: Option<(JobId, RunId)>,
}

/// Why there are no hints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HintsError {
    /// Not set.
    #[error("{0} is not set")]
    Absent(&'static str),
    /// Set to something else.
    #[error("{name} does not hold what the platform sets")]
    Malformed {
        /// Which variable.
        name: &'static str,
        /// What it must hold.
        #[source]
        cause: IdError,
    },
}

impl Hints {
    /// From variables.
    ///
    /// # Errors
    /// When one that is needed is absent or malformed.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, HintsError> {
        let need = |name: &'static str| get(name).filter(|value| !value.is_empty()).ok_or(HintsError::Absent(name));
        let malformed = |name| move |cause| HintsError::Malformed { name, cause };
        let cluster = ClusterId::try_from(need("DB_CLUSTER_ID")?.as_str()).map_err(malformed("DB_CLUSTER_ID"))?;
        let address = NodeAddress::try_from(need("DB_CONTAINER_IP")?.as_str()).map_err(malformed("DB_CONTAINER_IP"))?;
        let driver = get("DB_IS_DRIVER").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Ok(Self { cluster, address, driver, job: get("DB_CLUSTER_NAME").and_then(|name| parse_name(&name)) })
    }
}

fn parse_name(name: &str) -> Option<(JobId, RunId)> {
    let (job, rest) = name.strip_prefix("job-")?.split_once("-run-")?;
    // The cluster's key may hold any of `-` and `_`: the run's id ends at the first of them.
    let run = rest.split(['-', '_']).next()?;
    Some((JobId::try_from(job).ok()?, RunId::try_from(run).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_clusters_name_hints_at_job_and_run_and_any_other_name_at_nothing() {
        let rows = [
            (
                "job-605777310657626-run-1020337925419295-databricks_cost_job_cluster",
                Some(("605777310657626", "1020337925419295")),
            ),
            ("job-1-run-2", Some(("1", "2"))),
            ("job-1-run-2_x-y", Some(("1", "2"))),
            ("job-x-run-2", None),
            ("job-1-run-", None),
            ("my cluster", None),
        ];
        for (name, expected) in rows {
            let found = parse_name(name).map(|(job, run)| (job.to_string(), run.to_string()));
            assert_eq!(found, expected.map(|(job, run)| (job.to_owned(), run.to_owned())), "{name}");
        }
    }
}
