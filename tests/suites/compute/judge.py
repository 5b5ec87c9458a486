"""judge.py DOCUMENTATION RENDERED: judges the evaluator by the documentation's own examples, then what `longhorn policy
render` printed by the evaluator, and both by the types of the official SDK."""

import copy
import json
import os
import sys

import hcl2
from databricks.sdk.service import catalog, compute

from rules import violations

DOCUMENTATION, RENDERED = sys.argv[1:]
SCRIPT = "/Volumes/platform/longhorn/bundle/longhorn-init.sh"


def read(name):
    with open(os.path.join(RENDERED, name)) as file:
        return json.load(file)


for case in json.load(open(DOCUMENTATION)):
    for cluster in case["accepts"]:
        assert violations(case["definition"], cluster) == [], (case["source"], cluster)
    for cluster, path in case["refuses"]:
        assert path in violations(case["definition"], cluster), (case["source"], cluster, path)
print("ok documentation")

JOBS = {
    "cluster_type": "job",
    "cluster_name": "anything",
    "num_workers": 2,
    "spark_version": "16.4.x-scala2.12",
    "data_security_mode": "SINGLE_USER",
    "init_scripts": [{"volumes": {"destination": SCRIPT}}],
    "workload_type": {"clients": {"jobs": True, "notebooks": False}},
    "spark_conf": {"spark.databricks.repl.allowedLanguages": "python,sql", "spark.sql.shuffle.partitions": "8"},
    "spark_env_vars": {"DISABLE_WEB_TERMINAL": "true", "PYSPARK_PYTHON": "/databricks/python3/bin/python3"},
    "cluster_log_conf": {"type": "VOLUMES", "path": "/Volumes/platform/longhorn/logs"},
    "custom_tags": {"longhorn": "jobs", "team": "theirs"},
}
INTERACTIVE = {
    "cluster_type": "all-purpose",
    "spark_version": "17.3.x-scala2.13",
    "data_security_mode": "DATA_SECURITY_MODE_STANDARD",
    "init_scripts": [{"volumes": {"destination": SCRIPT}}],
    "workload_type": {"clients": {"jobs": False, "notebooks": True}},
    "spark_conf": {"spark.databricks.repl.allowedLanguages": "python"},
    "spark_env_vars": {"DISABLE_WEB_TERMINAL": "true"},
}
BAKED = {
    "cluster_type": "job",
    "spark_version": "16.4.x-scala2.12",
    "data_security_mode": "DATA_SECURITY_MODE_DEDICATED",
    "docker_image": {"url": "images.example/longhorn:1"},
    "init_scripts": [{"file": {"destination": "file:/opt/longhorn/longhorn-init.sh"}}],
    "workload_type": {"clients": {"jobs": True, "notebooks": False}},
    "spark_conf": {"spark.databricks.repl.allowedLanguages": "python,r"},
    "spark_env_vars": {"DISABLE_WEB_TERMINAL": "true"},
    "cluster_log_conf": {"type": "S3", "path": "s3://logs/longhorn", "region": "eu-west-1"},
    "custom_tags": {"owner": "${team} %{if} %%{x} $${y}"},
}
HONEST = {"jobs": JOBS, "interactive": INTERACTIVE, "baked": BAKED}
for name, cluster in HONEST.items():
    assert violations(read(name + ".json"), cluster) == [], (name, violations(read(name + ".json"), cluster))
for other in ("DATA_SECURITY_MODE_DEDICATED", "SINGLE_USER"):
    assert violations(read("jobs.json"), JOBS | {"data_security_mode": other}) == [], other
print("ok honest")


def at(*keys, value):
    """The honest cluster with one thing other; a list grows where it is too short."""
    cluster = copy.deepcopy(JOBS)
    inner = cluster
    for key in keys[:-1]:
        inner = inner.setdefault(key, {}) if isinstance(inner, dict) else inner[key]
    if isinstance(inner, list):
        inner[keys[-1] :] = [value]
    else:
        inner[keys[-1]] = value
    return cluster


def without(*keys):
    cluster = copy.deepcopy(JOBS)
    inner = cluster
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    return cluster


KINDS = ["abfss", "dbfs", "file", "gcs", "s3", "volumes", "workspace"]
ELSEWHERE = {"destination": "/elsewhere/undo.sh"}
HOSTILE = [(at("init_scripts", 1, value={kind: ELSEWHERE}), f"init_scripts.1.{kind}.destination") for kind in KINDS]
HOSTILE += [(at("init_scripts", 0, value={kind: ELSEWHERE}), f"init_scripts.0.{kind}.destination") for kind in KINDS]
HOSTILE += [
    (at("init_scripts", 0, "volumes", value={"destination": SCRIPT + " "}), "init_scripts.0.volumes.destination"),
    (at("init_scripts", value=[]), "init_scripts.0.volumes.destination"),
    (at("init_scripts", value=[{"s3": ELSEWHERE}, *JOBS["init_scripts"]]), "init_scripts.0.volumes.destination"),
    (without("init_scripts"), "init_scripts.0.volumes.destination"),
    (at("ssh_public_keys", value=["ssh-ed25519 AAAA"]), "ssh_public_keys.0"),
    (at("cluster_type", value="all-purpose"), "cluster_type"),
    (at("spark_version", value="13.3.x-scala2.12"), "spark_version"),
    (at("data_security_mode", value="NONE"), "data_security_mode"),
    (at("data_security_mode", value="USER_ISOLATION"), "data_security_mode"),
    (without("data_security_mode"), "data_security_mode"),
    (at("docker_image", value={"url": "images.example/theirs"}), "docker_image.url"),
    (at("workload_type", "clients", "notebooks", value=True), "workload_type.clients.notebooks"),
    (without("spark_env_vars", "DISABLE_WEB_TERMINAL"), "spark_env_vars.DISABLE_WEB_TERMINAL"),
    (at("cluster_log_conf", "path", value="dbfs:/tmp"), "cluster_log_conf.path"),
    (at("custom_tags", "longhorn", value="other"), "custom_tags.longhorn"),
]
CONF = {
    "spark.driver.extraJavaOptions": "-javaagent:/tmp/a.jar",
    "spark.executor.extraJavaOptions": "-agentpath:/tmp/a.so",
    "spark.driver.defaultJavaOptions": "-javaagent:/tmp/a.jar",
    "spark.executor.defaultJavaOptions": "-javaagent:/tmp/a.jar",
    "spark.pyspark.python": "/tmp/python",
    "spark.pyspark.driver.python": "/tmp/python",
    "spark.python.daemon.module": "theirs",
    "spark.python.worker.module": "theirs",
    "spark.executorEnv.LD_PRELOAD": "/tmp/a.so",
    "spark.executorEnv.PYSPARK_PYTHON": "/tmp/python",
    "spark.databricks.repl.allowedLanguages": "python,sql,scala",
    "spark.databricks.python.defaultPythonRepl": "pythonshell",
}
HOSTILE += [(at("spark_conf", key, value=value), f"spark_conf.{key}") for key, value in CONF.items()]
for name in ("LD_PRELOAD", "JAVA_TOOL_OPTIONS", "PYTHONSTARTUP", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON", "BASH_ENV", "SHELLOPTS"):
    HOSTILE.append((at("spark_env_vars", name, value="/tmp/theirs"), f"spark_env_vars.{name}"))
definition = read("jobs.json")
for cluster, path in HOSTILE:
    assert path in violations(definition, cluster), (path, violations(definition, cluster))
assert len(HOSTILE) >= 40
print("ok hostile", len(HOSTILE))


def nested(paths):
    """The cluster that has each of these attributes, as the API spells it."""
    cluster = {}
    for path, value in paths.items():
        root, _, key = path.partition(".")
        if root in ("spark_conf", "spark_env_vars", "custom_tags"):
            cluster.setdefault(root, {})[key] = value
        elif root == "init_scripts":
            index, kind, attribute = key.split(".")
            cluster.setdefault(root, {}).setdefault(index, {}).setdefault(kind, {})[attribute] = value
        elif root == "ssh_public_keys":
            cluster[root] = [value]
        else:
            inner = cluster
            *before, last = path.split(".")
            for part in before:
                inner = inner.setdefault(part, {})
            inner[last] = value
    scripts = cluster.get("init_scripts", {})
    merged = {kind: one for script in scripts.values() for kind, one in script.items()}
    return cluster | {"init_scripts": [{kind: one} for kind, one in sorted(merged.items())]}


# Paths that a policy has and the Clusters API has not: `cluster_type` is virtual, and the destination of logs is told by type and path.
VIRTUAL = ("cluster_type", "cluster_log_conf.type", "cluster_log_conf.path", "cluster_log_conf.region")
ENUMS = {"data_security_mode": "SINGLE_USER", "workload_type.clients.jobs": True, "workload_type.clients.notebooks": True}
for name in HONEST:
    paths = {path: ENUMS.get(path, "x") for path in read(name + ".json") if path not in VIRTUAL}
    cluster = nested(paths)
    assert compute.ClusterSpec.from_dict(cluster).as_dict() == cluster, (name, cluster)
    definition = read(name + ".json")
    policy = {"policy_id": "1", "name": name, "definition": json.dumps(definition)}
    assert json.loads(compute.Policy.from_dict(policy).as_dict()["definition"]) == definition
print("ok attributes")

for name, there in (("merged", 2), ("first", 1)):
    listed = read(name + ".list")
    assert catalog.ArtifactAllowlistInfo.from_dict(listed).as_dict() == listed
    found = catalog.ArtifactAllowlistInfo.from_dict(listed).artifact_matchers
    assert len(found) == there and found[-1].artifact == SCRIPT, found
    assert all(one.match_type == catalog.MatchType.PREFIX_MATCH for one in found), found
print("ok allow-list")


def literal(text):
    """What a quoted string, or a call of jsonencode, of Terraform's language is."""
    if text.startswith("${jsonencode("):
        # An object's keys are followed by an equals sign; all else of it is JSON.
        text = text.removeprefix("${jsonencode(").removesuffix(")}").replace('" = ', '": ')
    assert "$" not in text and "%" not in text, text
    return json.loads(text)


for name in HONEST:
    with open(os.path.join(RENDERED, name + ".tf")) as file:
        resources = hcl2.load(file)["resource"]
    policy = resources[0]['"databricks_cluster_policy"'][f'"{name}"']
    assert literal(policy["name"]) == f"longhorn-{name}", policy
    assert literal(policy["definition"]) == read(name + ".json"), policy
    # Only shared clusters ask the list whether a script of a volume may run.
    assert len(resources) == (2 if name == "interactive" else 1), resources
    for resource in resources[1:]:
        (listed,) = resource['"databricks_artifact_allowlist"'].values()
        (matcher,) = listed["artifact_matcher"]
        assert literal(listed["artifact_type"]) == "INIT_SCRIPT", listed
        assert (literal(matcher["artifact"]), literal(matcher["match_type"])) == (SCRIPT, "PREFIX_MATCH"), matcher
print("ok terraform")
