"""labelled.py GATEWAY WORKSPACE: versions are cleared by what Unity Catalog says of their data as well. WORKSPACE is the simulated one, whose
answers are made false here. Prints how many were denied."""

import json
import sys

import mlflow
import requests
from mlflow.exceptions import MlflowException

gateway, workspace = sys.argv[1:]
mlflow.set_tracking_uri(gateway)
client = mlflow.MlflowClient()
mlflow.set_experiment("labelled")
TAGS = "/api/2.1/unity-catalog/entity-tag-assignments/tables/main.gold.orders/tags"
STATEMENTS = "/api/2.0/sql/statements"
count = 0


def trained(table):
    """A version as a job makes it."""
    with mlflow.start_run() as run:
        source = json.dumps({"delta_table_name": table, "delta_table_version": 3})
        dataset = {"name": table, "digest": "66ea1115", "source_type": "delta_table", "source": source}
        body = {"run_id": run.info.run_id, "datasets": [{"dataset": dataset}]}
        assert requests.post(gateway + "/api/2.0/mlflow/runs/log-inputs", json=body, timeout=30).status_code == 200
        info = mlflow.pyfunc.log_model(
            name="model", python_model=lambda model_input: model_input, pip_requirements=[], registered_model_name="fraud"
        )
    return str(info.registered_model_version)


def labels(version):
    return client.get_model_version("fraud", version).tags["longhorn.labels"]


def denied(check, version):
    global count
    count += 1
    try:
        client.set_registered_model_alias("fraud", "champion", version)
    except MlflowException as error:
        said = str(error)
        assert f"{check} (expected " in said and said.count(" (expected ") == 1, f"not {check} alone: {said}"
        return said
    raise SystemExit(f"{version} is not denied for {check}")


def simulator(what, **body):
    assert requests.post(f"{workspace}/simulator/{what}", json=body, timeout=30).status_code == 200


def allowed(version):
    client.set_registered_model_alias("fraud", "champion", version)
    assert client.get_model_version_by_alias("fraud", "champion").version == version


# Policy and tags say the same; tags alone say it; tags say more; neither says anything.
honest = trained("main.gold.orders")
assert labels(honest) == "internal", labels(honest)
allowed(honest)
tagged = trained("main.gold.tagged")
assert labels(tagged) == "internal", labels(tagged)
allowed(tagged)
more = trained("main.gold.products")
assert labels(more) == "pii", labels(more)
denied("labels-cleared", more)
bare = trained("main.gold.bare")
assert labels(bare) == "unknown", labels(bare)
denied("labels-cleared", bare)

# What cannot be read is no label that is not there.
for path, fault in [
    (TAGS, {"status": 403}),
    (TAGS, {"body": "<html>log in</html>"}),
    (TAGS, {"body": json.dumps({"next_page_token": "again"})}),
    (STATEMENTS, {"status": 403}),
    (STATEMENTS, {"body": json.dumps({"statement_id": "01", "status": {"state": "FAILED"}})}),
]:
    simulator("fault", path=path, **fault)
    said = denied("labels-read", honest)
    assert ("labels of main.gold.orders" if path == TAGS else "lineage of job") in said, said
    simulator("mend")
simulator("fault", path=TAGS, status=403)
unread = trained("main.gold.orders")
assert labels(unread) == "internal,unknown", labels(unread)
simulator("mend")
allowed(unread)

# The platform saw the run reading what it does not name.
seen = {
    "statement_id": "01",
    "status": {"state": "SUCCEEDED"},
    "manifest": {"schema": {"columns": [{"name": "source_table_full_name"}]}, "total_row_count": 1, "truncated": False},
    "result": {"data_array": [["main.gold.customers"]]},
}
simulator("fault", path=STATEMENTS, body=json.dumps(seen))
denied("labels-cleared", honest)
simulator("mend")
allowed(honest)

# Nobody but the gateway says which labels a version has, or a dataset.
body = {"name": "fraud", "source": "models:/fraud/1", "tags": [{"key": "longhorn.labels", "value": "internal"}]}
answer = requests.post(gateway + "/api/2.0/mlflow/model-versions/create", json=body, timeout=30)
assert answer.status_code == 403 and "tag-owned" in answer.text, answer.text
dataset = {"name": "d", "digest": "1", "source_type": "delta_table", "source": "{}"}
with mlflow.start_run() as run:
    body = {"run_id": run.info.run_id, "datasets": [{"dataset": dataset, "tags": [{"key": "longhorn.label", "value": "internal"}]}]}
    answer = requests.post(gateway + "/api/2.0/mlflow/runs/log-inputs", json=body, timeout=30)
    assert answer.status_code == 403 and "tag-owned" in answer.text, answer.text
print(honest, count)
