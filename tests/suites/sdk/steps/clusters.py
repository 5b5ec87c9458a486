"""One cluster."""

from databricks.sdk.service import compute

from steps.expect import refused, same
from steps.place import CLUSTER, JOB, PRINCIPAL, RUN, USER


def cluster(workspace):
    found = workspace.clusters.get(CLUSTER)
    same("type", type(found), compute.ClusterDetails)
    same("id", found.cluster_id, CLUSTER)
    same("name", found.cluster_name, f"job-{JOB}-run-{RUN}-main")
    same("source", found.cluster_source, compute.ClusterSource.JOB)
    same("state", found.state, compute.State.RUNNING)
    same("mode", found.data_security_mode, compute.DataSecurityMode.SINGLE_USER)
    same("single user", found.single_user_name, PRINCIPAL)
    same("creator", found.creator_user_name, USER)
    same("policy", found.policy_id, "ABC123")
    same("runtime", found.spark_version, "16.4.x-scala2.12")
    same("workers", found.num_workers, 1)
    same("driver", type(found.driver), compute.SparkNode)
    same("driver's address", found.driver.private_ip, "127.0.0.1")
    same("driver's host", found.driver.host_private_ip, "10.0.0.1")
    same("workers' addresses", [(type(node), node.private_ip) for node in found.executors], [(compute.SparkNode, "127.0.0.2")])
    refused("INVALID_PARAMETER_VALUE", lambda: workspace.clusters.get("0000-000000-none"))
