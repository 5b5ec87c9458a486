"""One cluster, the list, and a cluster that is not known whole at first."""

from databricks.sdk.service import compute

from steps.expect import all_of, has, refused, same
from steps.place import CLUSTER, CLUSTERS_GET, JOB, PRINCIPAL, RUN, USER, fault


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


NOTEBOOKS = [f"notebooks-{number:02}" for number in range(24)]
# What runs, then what is pinned, then by name.
ORDERED = [CLUSTER, "notebooks-07"] + [name for name in NOTEBOOKS if name != "notebooks-07"]


def listed(workspace):
    clusters = workspace.clusters

    def ids(**asked):
        found = all_of(clusters.list(**asked), 40)
        same("types", {type(one) for one in found} - {compute.ClusterDetails}, set())
        return [one.cluster_id for one in found]

    # The old SDK has all at once, the new one by a second page.
    same("all", ids(), ORDERED)
    if has(clusters.list, "can_use_client"):
        same("for notebooks", ids(can_use_client="NOTEBOOKS"), ORDERED)
        same("for jobs", ids(can_use_client="JOBS"), [CLUSTER])
    if has(clusters.list, "page_size"):
        same("by tens", ids(page_size=10), ORDERED)
        refused("INVALID_PARAMETER_VALUE", lambda: ids(page_token="theirs"))

        def page(token):
            query = {"page_size": 10, "page_token": token}
            return compute.ListClustersResponse.from_dict(workspace.api_client.do("GET", "/api/2.1/clusters/list", query=query))

        first = page("")
        second = page(first.next_page_token)
        third = page(second.next_page_token)
        same("no page before the first, none after the last", (first.prev_page_token, third.next_page_token), ("", ""))
        same("third", [one.cluster_id for one in third.clusters], ORDERED[20:])
        same("back", page(second.prev_page_token), first)
    if has(clusters.list, "filter_by"):
        by = compute.ListClustersFilterBy
        source, state = compute.ClusterSource, compute.State
        same("of jobs", ids(filter_by=by(cluster_sources=[source.JOB])), [CLUSTER])
        same("of either", ids(filter_by=by(cluster_sources=[source.JOB, source.UI])), ORDERED)
        same("of another", ids(filter_by=by(cluster_sources=[source.PIPELINE])), [])
        same("terminated", ids(filter_by=by(cluster_states=[state.TERMINATED]), page_size=10), ORDERED[1:])
        same("pinned", ids(filter_by=by(is_pinned=True)), ["notebooks-07"])
        same("not pinned", ids(filter_by=by(is_pinned=False, cluster_sources=[source.UI])), ORDERED[2:])
        same("under the policy", ids(filter_by=by(policy_id="ABC123")), [CLUSTER])
    if has(clusters.list, "sort_by"):
        order, direction = compute.ListClustersSortBy, compute.ListClustersSortByDirection
        name = compute.ListClustersSortByField.CLUSTER_NAME
        same("by name", ids(sort_by=order(field=name)), [CLUSTER] + NOTEBOOKS)
        same("by name, the last first", ids(sort_by=order(direction=direction.DESC, field=name)), NOTEBOOKS[::-1] + [CLUSTER])


def late(workspace):
    """First no node is known, then the driver, then all."""
    fault(path=CLUSTERS_GET, times=2, without=["/driver", "/executors"])
    fault(path=CLUSTERS_GET, times=1, without=["/executors"])

    def nodes():
        found = workspace.clusters.get(CLUSTER)
        same("state", found.state, compute.State.RUNNING)
        return found.driver and found.driver.private_ip, [one.private_ip for one in found.executors or []]

    whole = ("127.0.0.1", ["127.0.0.2"])
    same("nodes", [nodes() for _ in range(5)], [(None, []), (None, []), ("127.0.0.1", []), whole, whole])
    # One node of a list; and what is not there cannot be left out.
    fault(path=CLUSTERS_GET, times=1, without=["/executors/0"])
    fault(path=CLUSTERS_GET, times=1, without=["/executors/1"])
    same("nodes", nodes(), ("127.0.0.1", []))
    assert "/executors/1" in str(refused("INTERNAL_ERROR", nodes))
