"""A job and its run."""

from databricks.sdk.service import jobs

from steps.expect import refused, same
from steps.place import CLUSTER, JOB, PRINCIPAL, RUN, USER


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
    refused("INVALID_PARAMETER_VALUE", lambda: workspace.jobs.get(1))


def run(workspace):
    found = workspace.jobs.get_run(RUN)
    same("type", type(found), jobs.Run)
    same("id", (found.run_id, found.job_id), (RUN, JOB))
    same("run type", found.run_type, jobs.RunType.JOB_RUN)
    same("state", found.state.life_cycle_state, jobs.RunLifeCycleState.RUNNING)
    (task,) = found.tasks
    same("task", (type(task), task.task_key), (jobs.RunTask, "main"))
    same("cluster", (task.cluster_instance.cluster_id, task.cluster_instance.spark_context_id), (CLUSTER, "1"))
    refused("INVALID_PARAMETER_VALUE", lambda: workspace.jobs.get_run(1))
