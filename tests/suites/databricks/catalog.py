"""catalog.py [VERSION]: a job that registers its models in Unity Catalog and promotes one, by MLflow's own client; and what it must not.
Prints how many versions it made. With VERSION, one whose files were changed meanwhile."""

import base64
import json
import os
import pathlib
import sys

import databricks.sdk
import mlflow
import pandas
import requests
from databricks.sdk.errors import DatabricksError
from mlflow.entities import Dataset, DatasetInput
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature

NAME = "main.ml.fraud"
HOST = os.environ["DATABRICKS_HOST"]
LINEAGE = "X-Databricks-Lineage-Identifier"
client = mlflow.MlflowClient()
assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == ("databricks", "databricks-uc")
signature = infer_signature(pandas.DataFrame({"x": [1.0]}), pandas.DataFrame({"y": [1.0]}))


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input


def trained(auc):
    """A version of a run that used one table; the client would tell the catalog of another job."""
    with mlflow.start_run(tags={"mlflow.databricks.jobID": "999", "mlflow.databricks.jobRunID": "998"}) as run:
        mlflow.log_metric("auc", auc)
        source = json.dumps({"delta_table_name": "main.gold.orders", "delta_table_id": "t-1", "delta_table_version": 3, "is_databricks_uc_table": True})
        client.log_inputs(run.info.run_id, [DatasetInput(Dataset("orders", "1", "delta_table", source), [])])
        logged = mlflow.pyfunc.log_model(
            name="model", python_model=Model(), signature=signature, pip_requirements=[], registered_model_name=NAME
        )
    return run.info.run_id, logged.model_id, logged.registered_model_version


def api(method, path, **more):
    return requests.request(method, HOST + path, timeout=20, **more)


def refused(rule, answer):
    assert answer.status_code in (400, 403) and f"(rule: {rule}, record: " in answer.text, (rule, answer.status_code, answer.text)


def turned_down(call, *given):
    try:
        call(*given)
    except DatabricksError as error:
        assert "(rule: gate, record: " in str(error), error
        return
    raise SystemExit(f"{given}: not denied")


def denied(what, version, alias="champion"):
    try:
        client.set_registered_model_alias(NAME, alias, version)
    except MlflowException as error:
        assert error.error_code == "PERMISSION_DENIED" and "(rule: gate, record: " in str(error), error
        assert all(f"{one} (" in str(error) for one in what), error
        return
    raise SystemExit(f"{what}: not denied")


if sys.argv[1:]:
    # Files that somebody changed past the gateway.
    denied(["files-unchanged", "model-sealed"], sys.argv[1])
    sys.exit()
mlflow.set_experiment("/Shared/fraud")
run, model, good = trained(0.95)
shown = client.get_model_version(NAME, good)
assert (shown.status, shown.run_id) == ("READY", run), shown
assert shown.tags["longhorn.version_binding"].count(".") == 2
client.set_registered_model_alias(NAME, "champion", good)
assert client.get_model_version_by_alias(NAME, "champion").version == str(good)
place = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{NAME}@champion")
assert "MLmodel" in os.listdir(place), os.listdir(place)

# What does not satisfy the policy does not go out, whichever door is tried.
weak_run, weak, low = trained(0.5)
denied(["metric"], low)
denied(["alias-ruled"], good, "another")
refused("gate", api("PUT", f"/api/2.1/unity-catalog/models/{NAME}/aliases/champion", json={"version_num": int(low)}))

# Somebody else's run that has ended: whoever registers it brings the files, and nothing would tie those to it.
direct = pathlib.Path("/mnt/host/code/direct").read_text()
beside = mlflow.MlflowClient(tracking_uri=direct, registry_uri=direct)
theirs = beside.create_run("0").info.run_id
made = {"name": NAME, "source": f"runs:/{theirs}/model", "run_id": theirs}
refused("run-of-another", api("POST", "/api/2.0/mlflow/unity-catalog/model-versions/create", json=made))
beside.set_terminated(theirs)
refused("source-of-another-job", api("POST", "/api/2.0/mlflow/unity-catalog/model-versions/create", json=made))

# The official SDK's doors: the same aliases, and stages of the workspace's own registry, by the doors of people who approve.
workspace = databricks.sdk.WorkspaceClient()
workspace.registered_models.delete_alias(full_name=NAME, alias="champion")
workspace.registered_models.set_alias(full_name=NAME, alias="champion", version_num=int(good))
assert client.get_model_version_by_alias(NAME, "champion").version == str(good)
assert "longhorn.promotion.champion" in client.get_model_version(NAME, good).tags
older = mlflow.MlflowClient(registry_uri="databricks")
older.create_registered_model("ranker")
staged = older.create_model_version("ranker", f"models:/{model}", run_id=run, model_id=model).version
worse = older.create_model_version("ranker", f"models:/{weak}", run_id=weak_run, model_id=weak).version


def stage(number):
    return older.get_model_version("ranker", number).current_stage


registry = workspace.model_registry
for door in (registry.approve_transition_request, registry.transition_stage):
    turned_down(door, "ranker", worse, "Production", False)
    turned_down(door, "ranker", staged, "Staging", False)
    door("ranker", staged, "Production", False, comment="said by hand")
    assert stage(staged) == "Production", stage(staged)
    door("ranker", staged, "Archived", False)
    assert stage(staged) == "Archived", stage(staged)
turned_down(registry.reject_transition_request, "ranker", worse, "Staging")
# Out of a stage by the roles of that stage, whatever the next one asks.
older.create_registered_model("held")
held = older.create_model_version("held", f"models:/{model}", run_id=run, model_id=model).version
registry.transition_stage("held", held, "Archived", False)
beside.transition_model_version_stage("held", held, "Production")
turned_down(registry.transition_stage, "held", held, "Archived", False)
assert older.get_model_version("held", held).current_stage == "Production"
# The registry reads `production` as it reads `Production`: what is not written so is no stage here, and no way past the gate.
for door in ("model-versions/transition-stage", "databricks/model-versions/transition-stage", "transition-requests/approve"):
    body = {"name": "ranker", "version": str(worse), "stage": "production"}
    refused("stage-unclear", api("POST", f"/api/2.0/mlflow/{door}", json=body))
assert stage(worse) == "None", stage(worse)

# Files of a version are its job's, until it has all of them; no credential goes past the gateway.
files = f"/api/2.0/fs/files/Models/{NAME.replace('.', '/')}"
refused("version-whole", api("PUT", f"{files}/{good}/MLmodel?overwrite=true", data=b"evil"))
refused("version-unknown", api("PUT", f"{files}/77/MLmodel?overwrite=true", data=b"evil"))
refused("artifact-place", api("PUT", "/api/2.0/fs/files/Models/main/ml/MLmodel", data=b"evil"))
refused("not-permitted", api("DELETE", f"{files}/{good}/MLmodel"))
refused("not-permitted", api("PUT", "/api/2.0/fs/files/Volumes/main/ml/x", data=b"evil"))
refused("version-whole", api("POST", "/api/2.0/mlflow/unity-catalog/model-versions/finalize", json={"name": NAME, "version": str(good)}))
credentials = "/api/2.0/mlflow/unity-catalog/model-versions/generate-temporary-credentials"
answer = api("POST", credentials, json={"name": NAME, "version": str(good), "operation": "MODEL_VERSION_OPERATION_READ_WRITE"})
refused("not-permitted", answer)
assert "MLFLOW_USE_DATABRICKS_SDK_MODEL_ARTIFACTS_REPO_FOR_UC=true" in answer.text, answer.text

# Whatever a client says of lineage, the catalog hears what was attested.
def said(what):
    return base64.b64encode(json.dumps(what).encode()).decode()


table = {"table": {"name": "main.gold.never", "table_id": "t-2"}}
versions = 2
for header in [
    said({"entities": [{"job": {"id": "999", "job_run_id": "998"}}]}),
    said({"entities": [], "lineages": [{"source_securables": [table]}]}),
    said({"entities": [{"job": {"id": "999"}}], "lineages": [{"source_securables": [table] * 500}]})[:20000],
    "no base64, and no JSON",
]:
    body = {"name": NAME, "source": f"models:/{model}", "run_id": run, "model_id": model}
    answer = api("POST", "/api/2.0/mlflow/unity-catalog/model-versions/create", json=body, headers={LINEAGE: header})
    assert answer.status_code == 200, answer.text
    versions += 1
emitted = {"name": NAME, "version": str(good), "model_version_lineage_info": {"entities": [{"job": {"id": "999"}}], "direction": "DOWNSTREAM"}}
assert api("POST", "/api/2.0/mlflow/unity-catalog/model-versions/emit-lineage", json=emitted).status_code == 200

# Files that are not those of the run that it names.
other = str(versions)
assert api("PUT", f"{files}/{other}/MLmodel?overwrite=true", data=b"another model").status_code in (200, 204)
assert api("POST", "/api/2.0/mlflow/unity-catalog/model-versions/finalize", json={"name": NAME, "version": other}).status_code == 200
denied(["model-sealed"], other)

print(versions)
