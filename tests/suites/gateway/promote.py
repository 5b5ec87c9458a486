"""promote.py GATEWAY DIRECT: versions that are promoted without anybody's help, and those that are not. GATEWAY is what jobs have; DIRECT
is the registry itself, for whoever reaches it past the gateway. Prints how many were denied."""

import json
import sys
import time

import mlflow
import requests
from mlflow.exceptions import MlflowException

gateway, direct = sys.argv[1:]
mlflow.set_tracking_uri(gateway)
client = mlflow.MlflowClient()
beside = mlflow.MlflowClient(tracking_uri=direct, registry_uri=direct)
mlflow.set_experiment("promotion")
count = 0


def sent(method, path, body):
    answer = requests.request(method, gateway + path, json=body, timeout=30)
    if answer.status_code != 200:
        raise MlflowException(answer.json()["message"] if answer.headers["content-type"] == "application/json" else answer.text)
    return answer


def used(run, table):
    source = json.dumps({"delta_table_name": table, "delta_table_version": 3})
    dataset = {"name": table, "digest": "66ea1115", "source_type": "delta_table", "source": source}
    sent("POST", "/api/2.0/mlflow/runs/log-inputs", {"run_id": run, "datasets": [{"dataset": dataset}]})


def trained(name, auc=0.95, table="main.gold.orders", parent=None, end=True):
    """A version as a job makes it: its number, its run and its logged model."""
    with mlflow.start_run() as run:
        if table:
            used(run.info.run_id, table)
        if parent:
            sent("POST", "/api/2.0/mlflow/runs/log-inputs", {"run_id": run.info.run_id, "models": [{"model_id": parent}]})
        mlflow.log_metric("auc", auc)
        info = mlflow.pyfunc.log_model(
            name="model", python_model=lambda model_input: model_input, pip_requirements=[], registered_model_name=name
        )
    return str(info.registered_model_version), run.info.run_id, info.model_id


def denied(checks, call, rule="gate"):
    global count
    count += 1
    began = time.monotonic()
    try:
        call()
    except MlflowException as error:
        said = str(error)
        assert f"(rule: {rule}, record: " in said and "record: none" not in said, f"{count} {checks}: {said}"
        for check in checks:
            assert f"{check} (expected " in said, f"{count}: no {check} in {said}"
        assert said.count(" (expected ") == len(checks), f"{count}: not {checks} alone: {said}"
        assert time.monotonic() - began < 5, "it was tried again"
        return
    raise SystemExit(f"number {count}, {checks}: not denied")


def alias(version, alias="champion", name="fraud"):
    return lambda: client.set_registered_model_alias(name, alias, version)


def tags(version):
    return client.get_model_version("fraud", version).tags


# A retrained model that satisfies the policy goes out with no human step.
first, first_run, first_model = trained("fraud")
alias(first)()
assert client.get_model_version_by_alias("fraud", "champion").version == first
assert "longhorn.promotion.champion" in tags(first), tags(first)

# One that does not is told of every check that is in its way.
low, _, _ = trained("fraud", auc=0.5)
denied(["metric"], alias(low))
worse, _, _ = trained("fraud", auc=0.93)
denied(["metric"], alias(worse))
secret, _, secret_model = trained("fraud", table="main.gold.customers")
denied(["labels-cleared"], alias(secret))
unknown, _, _ = trained("fraud", table="main.raw.dump")
denied(["labels-cleared"], alias(unknown))
nothing, _, _ = trained("fraud", table=None)
denied(["labels-cleared"], alias(nothing))
tuned, _, _ = trained("fraud", parent=secret_model)
denied(["labels-cleared"], alias(tuned))
both, _, _ = trained("fraud", auc=0.4, table="main.gold.customers")
denied(["metric", "labels-cleared"], alias(both))
denied(["four-eyes"], alias(first, "audited"))
denied(["promoted-by"], alias(first, "release"))
denied(["alias-ruled", "labels-cleared"], alias(first, "prod-eu"))
denied(["alias-ruled", "labels-cleared"], lambda: client.transition_model_version_stage("fraud", first, "Production"))
other, _, _ = trained("churn")
denied(["alias-ruled", "labels-cleared"], alias(other, name="churn"))
assert client.get_model_version_by_alias("fraud", "champion").version == first

# What somebody changes past the gateway is found out.
better, run, model = trained("fraud", auc=0.96)
beside.log_metric(run, "auc", 0.99, step=1)
denied(["run-sealed"], alias(better))
better, run, model = trained("fraud", auc=0.96)
beside.log_inputs(run, [])
source = json.dumps({"delta_table_name": "main.gold.orders"})
added = {"name": "late", "digest": "1", "source_type": "delta_table", "source": source}
requests.post(direct + "/api/2.0/mlflow/runs/log-inputs", json={"run_id": run, "datasets": [{"dataset": added}]}, timeout=30)
denied(["run-sealed"], alias(better))
better, run, model = trained("fraud", auc=0.96)
where = client.get_logged_model(model).artifact_location.removeprefix("mlflow-artifacts:/")
requests.put(f"{direct}/api/2.0/mlflow-artifacts/artifacts/{where}/MLmodel", data=b"evil", timeout=30)
denied(["model-sealed", "files-unchanged"], alias(better))
better, run, model = trained("fraud", auc=0.96)
requests.put(f"{direct}/api/2.0/mlflow-artifacts/artifacts/{where.replace(where.split('/')[2], model)}/evil.py", data=b"evil", timeout=30)
denied(["model-sealed", "files-unchanged"], alias(better))
made = beside.create_model_version("fraud", f"models:/{first_model}", run_id=first_run, model_id=first_model)
denied(["version-bound", "files-unchanged"], alias(made.version))
made = beside.create_model_version("fraud", f"models:/{first_model}", run_id=first_run, model_id=first_model)
beside.set_model_version_tag("fraud", made.version, "longhorn.version_binding", tags(first)["longhorn.version_binding"])
denied(["version-bound"], alias(made.version))
hand = beside.create_run(client.get_run(first_run).info.experiment_id)
for key, value in client.get_run(first_run).data.tags.items():
    if key.startswith("longhorn."):
        beside.set_tag(hand.info.run_id, key, value)
beside.log_metric(hand.info.run_id, "auc", 1.0)
beside.log_text(hand.info.run_id, "evil", "model/MLmodel")
beside.set_terminated(hand.info.run_id)
made = beside.create_model_version("fraud", f"{client.get_run(hand.info.run_id).info.artifact_uri}/model", run_id=hand.info.run_id)
denied(["run-bound", "run-sealed", "version-bound", "files-unchanged", "labels-cleared"], alias(made.version))
made = beside.create_model_version("fraud", "s3://evil/k", run_id=first_run)
denied(["version-bound", "files-unchanged"], alias(made.version))
better, run, model = trained("fraud", auc=0.96)
beside.delete_tag(run, "longhorn.run_seal")
denied(["run-sealed"], alias(better))
beside.set_tag(run, "longhorn.run_seal", client.get_run(first_run).data.tags["longhorn.run_seal"])
denied(["run-sealed"], alias(better))

# A version in between, made anew: the registry goes on serving what its source named when it was made.
with mlflow.start_run() as twofold:
    used(twofold.info.run_id, "main.gold.orders")
    mlflow.log_metric("auc", 0.97)
    for directory in ["good", "other"]:
        mlflow.log_text(directory, f"{directory}/MLmodel")
for directory in ["other", "good"]:
    if directory == "good":
        beside.delete_registered_model("between")
    beside.create_registered_model("between")
    beside.create_model_version("between", f"{twofold.info.artifact_uri}/{directory}", run_id=twofold.info.run_id)
    if directory == "other":
        beside.create_registered_model("copy")
        beside.create_model_version("copy", "models:/between/1", run_id=twofold.info.run_id)
made = sent("POST", "/api/2.0/mlflow/model-versions/create", {"name": "fraud", "source": "models:/copy/1"}).json()["model_version"]
assert "other" in client.get_model_version_download_uri("fraud", made["version"])
denied(["files-unchanged"], alias(made["version"]))

# A run that never ended.
with mlflow.start_run() as open_run:
    used(open_run.info.run_id, "main.gold.orders")
    mlflow.log_metric("auc", 0.97)
    info = mlflow.pyfunc.log_model(name="model", python_model=lambda model_input: model_input, pip_requirements=[], registered_model_name="fraud")
    denied(["run-finished", "run-sealed"], alias(str(info.registered_model_version)))
# Once it has, it goes.
alias(str(info.registered_model_version))()

# Other doors to the same.
# The registry takes a stage in any case: one that is not written as such would be no promotion to whoever reads it exactly.
written = {"name": "fraud", "version": first, "stage": "production"}
denied([], lambda: sent("POST", "/api/2.0/mlflow/model-versions/transition-stage", written), "stage-unclear")
approved = {"name": "fraud", "version": first, "stage": "Production"}
denied(["alias-ruled", "labels-cleared"], lambda: sent("POST", "/api/2.0/mlflow/transition-requests/approve", approved))
denied([], lambda: sent("POST", "/api/2.0/mlflow/transition-requests/reject", approved), "gate")
denied([], lambda: sent("POST", "/api/2.0/mlflow/registered-models/create", {"name": "x", "deployment_job_id": "7"}), "gate-missing")
denied([], lambda: client.delete_registered_model_alias("fraud", "release"), "gate")

# Back to the version before, which is worse and was the champion; and none at all, for which the role is enough.
alias(first)()
assert client.get_model_version_by_alias("fraud", "champion").version == first
client.delete_registered_model_alias("fraud", "champion")
print(count)
