"""Compute policies: what `longhorn policy render` prints is created, read back, replaced and deleted."""

import json
import os
import time

from databricks.sdk.service import compute

from steps.expect import refused, same
from steps.place import RENDERED

SCRIPT = {
    "jobs": "init_scripts.0.volumes.destination",
    "interactive": "init_scripts.0.volumes.destination",
    "baked": "init_scripts.0.file.destination",
}


def policies(workspace):
    api = workspace.cluster_policies
    before = int(time.time() * 1000)
    same("none", list(api.list()), [])
    made = {}
    for name, script in SCRIPT.items():
        with open(os.path.join(RENDERED, name + ".json")) as rendered:
            definition = rendered.read()
        created = api.create(name=f"longhorn-{name}", definition=definition, description="attested", max_clusters_per_user=2)
        same("type", type(created), compute.CreatePolicyResponse)
        made[name] = api.get(created.policy_id)
        same("type", type(made[name]), compute.Policy)
        same("id", made[name].policy_id, created.policy_id)
        # To the letter, and with our script where the evaluator of tests/suites/compute looks for it.
        same("definition", made[name].definition, definition)
        same("script", json.loads(made[name].definition)[script]["type"], "fixed")
        same("said", (made[name].name, made[name].description), (f"longhorn-{name}", "attested"))
        same("clusters", made[name].max_clusters_per_user, 2)
        same("maker", (made[name].creator_user_name, made[name].is_default), ("agent", False))
        assert before <= made[name].created_at_timestamp <= time.time() * 1000, made[name]

    def names(**asked):
        found = list(api.list(**asked))
        same("types", {type(one) for one in found} - {compute.Policy}, set())
        return [one.name.removeprefix("longhorn-") for one in found]

    column, order = compute.ListSortColumn, compute.ListSortOrder
    same("the latest first", names(), ["baked", "interactive", "jobs"])
    same("by time", names(sort_column=column.POLICY_CREATION_TIME, sort_order=order.ASC), ["jobs", "interactive", "baked"])
    same("by name", names(sort_column=column.POLICY_NAME, sort_order=order.ASC), ["baked", "interactive", "jobs"])
    same("by name, the last first", names(sort_column=column.POLICY_NAME, sort_order=order.DESC), ["jobs", "interactive", "baked"])

    # An edit says all anew; the same name is no other's name.
    jobs, other = made["jobs"].policy_id, made["interactive"].definition
    api.edit(policy_id=jobs, name="longhorn-jobs", definition=other)
    found = api.get(jobs)
    same("edited", (found.definition, found.description, found.max_clusters_per_user), (other, None, None))
    same("kept", found.created_at_timestamp, made["jobs"].created_at_timestamp)

    refusals(api, jobs)
    same("nothing came of what was refused", names(), ["baked", "interactive", "jobs"])
    same("nor of edits", api.get(jobs), found)
    for policy in made.values():
        api.delete(policy.policy_id)
        refused("RESOURCE_DOES_NOT_EXIST", lambda: api.get(policy.policy_id))
    same("none", list(api.list()), [])


def refusals(api, jobs):
    taken = refused("INVALID_PARAMETER_VALUE", lambda: api.create(name="longhorn-baked", definition="{}"))
    same("message", str(taken), "Cluster Policy with name `longhorn-baked` already exists")
    for code, asked in [
        ("INVALID_PARAMETER_VALUE", {"name": "", "definition": "{}"}),
        ("INVALID_PARAMETER_VALUE", {"name": "x" * 101, "definition": "{}"}),
        ("INVALID_PARAMETER_VALUE", {"name": "other", "definition": "{"}),
        # A definition is a text with JSON in it, which a caller easily forgets.
        ("MALFORMED_REQUEST", {"name": "other", "definition": {"cluster_type": {"type": "fixed", "value": "job"}}}),
        ("INVALID_PARAMETER_VALUE", {"name": "other", "definition": "{}", "policy_family_id": "job-cluster"}),
        ("NOT_IMPLEMENTED", {"name": "other", "policy_family_id": "job-cluster"}),
    ]:
        refused(code, lambda: api.create(**asked))
        refused(code, lambda: api.edit(policy_id=jobs, **asked))
    refused("INVALID_PARAMETER_VALUE", lambda: api.edit(policy_id=jobs, name="longhorn-baked", definition="{}"))
    absent = "0000000000000000"
    missing = refused("RESOURCE_DOES_NOT_EXIST", lambda: api.get(absent))
    same("message", str(missing), f"Can't find a cluster policy with id: {absent}.")
    refused("RESOURCE_DOES_NOT_EXIST", lambda: api.edit(policy_id=absent, name="other", definition="{}"))
    refused("RESOURCE_DOES_NOT_EXIST", lambda: api.delete(absent))
    # What is no policy is taken all the same, as it is by the real service: only clusters are refused by it. So whoever
    # pastes a definition must have had it judged before.
    for definition in ['[{"foo": "bar"}]', '{"spark_version": {"value": "16.4.x-scala2.12"}}']:
        taken = api.create(name="no policy", definition=definition).policy_id
        same("definition", api.get(taken).definition, definition)
        api.delete(taken)
