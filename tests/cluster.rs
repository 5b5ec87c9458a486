//! Promises of a whole cluster: nodes of their own network, real Spark, the binary that ships as the init script brings it.

#[path = "support/bed.rs"]
mod bed;
mod support;

use bed::Bed;
use support::{root_or_skip, text};

/// The preset for this machine's Python under the Databricks layout.
fn preset() -> &'static str {
    "databricks-15.4"
}

#[test]
fn every_node_of_a_job_cluster_runs_the_job_locked() {
    if root_or_skip("a cluster") {
        let mut bed = Bed::new("cluster-job", 2);
        bed.with_longhorn(preset());
        bed.with_spark();
        bed.code("digests.py");
        bed.up(0..=2);
        let output = bed.submit(&[], "digests.py");
        println!("{}", text(&output));
        std::thread::sleep(std::time::Duration::from_secs(std::env::var("HOLD").ok().and_then(|h| h.parse().ok()).unwrap_or(0)));
        assert!(output.status.success());
    }
}
