"""probe.py URL VERSION: the official SDK reads the simulated workspace, logged in machine to machine.

Every answer must parse into the SDK's own types and hold what the honest scenario holds."""

import io
import sys
from itertools import islice

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config, DatabricksError
from databricks.sdk.service import compute, iam, jobs
from databricks.sdk.version import __version__

URL, VERSION = sys.argv[1:]
CLUSTER = "1001-234039-abcde739"
JOB, RUN = 605777310657626, 1020337925419295
PRINCIPAL, USER = "7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c11", "ada@example.com"


def same(what, found, expected):
    assert type(found) is type(expected) and found == expected, f"{what}: {found!r}, expected {expected!r}"


def all_of(pages):
    """A server that does not page gives the same page for ever."""
    found = list(islice(pages, 10))
    assert len(found) < 10, "the list has no end"
    return found


def client(secret="agent-secret"):
    login = {"client_id": "agent", "client_secret": secret, "auth_type": "oauth-m2m"}
    return WorkspaceClient(config=Config(host=URL, http_timeout_seconds=5, retry_timeout_seconds=5, **login))


def login(workspace):
    same("version", __version__, VERSION)
    same("authentication", workspace.config.auth_type, "oauth-m2m")
    same("authorization", workspace.config.authenticate(), {"Authorization": "Bearer simulated-access-token"})


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


def job(workspace):
    found = workspace.jobs.get(JOB)
    same("type", type(found), jobs.Job)
    same("id", found.job_id, JOB)
    same("run as", found.run_as_user_name, PRINCIPAL)
    same("creator", found.creator_user_name, USER)
    same("name", found.settings.name, "fraud-training")
    same("tags", found.settings.tags, {"team": "fraud"})
    same("kind", found.settings.deployment.kind, jobs.JobDeploymentKind.BUNDLE)
    # The old SDK has an enumeration of its own for this word.
    same("edit mode", found.settings.edit_mode.value, "UI_LOCKED")


def run(workspace):
    found = workspace.jobs.get_run(RUN)
    same("type", type(found), jobs.Run)
    same("id", (found.run_id, found.job_id), (RUN, JOB))
    same("run type", found.run_type, jobs.RunType.JOB_RUN)
    same("state", found.state.life_cycle_state, jobs.RunLifeCycleState.RUNNING)
    (task,) = found.tasks
    same("task", (type(task), task.task_key), (jobs.RunTask, "main"))
    same("cluster", (task.cluster_instance.cluster_id, task.cluster_instance.spark_context_id), (CLUSTER, "1"))


def principals(workspace):
    (found,) = all_of(workspace.service_principals.list(filter=f'applicationId eq "{PRINCIPAL}"'))
    same("type", type(found), iam.ServicePrincipal)
    same("principal", (found.id, found.application_id, found.active), ("42", PRINCIPAL, True))
    same("groups", [(type(group), group.display, group.ref) for group in found.groups], [(iam.ComplexValue, "ml-eng", "Groups/7")])
    (found,) = all_of(workspace.users.list(filter=f'userName eq "{USER}"'))
    same("type", type(found), iam.User)
    same("user", (found.user_name, found.active, found.emails[0].value), (USER, True, USER))
    # Without a filter each list has its own kind only; a page may be as small as one.
    same("principals", [one.application_id for one in all_of(workspace.service_principals.list(count=1))], [PRINCIPAL])
    same("users", [one.user_name for one in all_of(workspace.users.list(count=1))], [USER])
    for lists, filter in [
        (workspace.users, f'userName eq "{PRINCIPAL}"'),
        (workspace.users, 'userName eq "nobody@example.com"'),
        (workspace.service_principals, f'applicationId eq "{USER}"'),
        (workspace.groups, 'displayName eq "nobody"'),
    ]:
        same(filter, all_of(lists.list(filter=filter)), [])


def file(workspace):
    directory = "/Volumes/main/longhorn/keys"
    refused("NOT_FOUND", lambda: workspace.files.upload(f"{directory}/node.pub", io.BytesIO(b"a key")))
    for _ in range(2):
        workspace.files.create_directory(directory)
    workspace.files.upload(f"{directory}/node.pub", io.BytesIO(b"a key"), overwrite=True)
    refused("ALREADY_EXISTS", lambda: workspace.files.upload(f"{directory}/node.pub", io.BytesIO(b"x")))
    same("content", workspace.files.download(f"{directory}/node.pub").contents.read(), b"a key")
    refused("NOT_FOUND", lambda: workspace.files.download(f"{directory}/other.pub"))
    workspace.files.create_directory(f"{directory}/nodes/c-1")
    for number in range(5):
        workspace.files.upload(f"{directory}/nodes/c-1/{number}", io.BytesIO(b"x"))
    entries = all_of(workspace.files.list_directory_contents(directory))
    same("entries", [(entry.name, entry.is_directory, entry.file_size) for entry in entries], [("node.pub", False, 5), ("nodes", True, None)])
    pages = islice(workspace.files.list_directory_contents(f"{directory}/nodes/c-1", page_size=2), 10)
    same("pages", [entry.path for entry in pages], [f"{directory}/nodes/c-1/{number}" for number in range(5)])
    refused("NOT_FOUND", lambda: list(workspace.files.list_directory_contents(f"{directory}/absent")))


def refused(code, ask):
    try:
        answer = ask()
    except DatabricksError as error:
        same("error", error.error_code, code)
    else:
        raise AssertionError(f"{code} was expected, not {answer!r}")


def absent(workspace):
    refused("INVALID_PARAMETER_VALUE", lambda: workspace.clusters.get("0000-000000-none"))
    refused("INVALID_PARAMETER_VALUE", lambda: workspace.jobs.get(1))
    refused("INVALID_PARAMETER_VALUE", lambda: workspace.jobs.get_run(1))


def stranger(_):
    try:
        client("wrong-secret").clusters.get(CLUSTER)
    except Exception as error:
        assert "invalid_client" in str(error) or "401" in str(error), repr(error)
    else:
        raise AssertionError("a wrong secret was accepted")


workspace = client()
for step in [login, cluster, job, run, principals, file, absent, stranger]:
    step(workspace)
    print("ok", step.__name__, flush=True)
