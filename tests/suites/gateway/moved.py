"""moved.py GATEWAY DIRECT: an alias that somebody else moves while the gate judges, versions that people must approve, and endpoints.
DIRECT is a way to the registry past the gateway, with a meddler in it. Prints the version that waits for an approval."""

import json
import sys

import mlflow
import requests
from mlflow.exceptions import MlflowException

gateway, direct = sys.argv[1:]
mlflow.set_tracking_uri(gateway)
client = mlflow.MlflowClient()
beside = mlflow.MlflowClient(tracking_uri=direct, registry_uri=direct)
mlflow.set_experiment("moved")


def trained(auc):
    """A version as a job makes it."""
    with mlflow.start_run() as run:
        source = json.dumps({"delta_table_name": "main.gold.orders"})
        dataset = {"name": "orders", "digest": "66ea1115", "source_type": "delta_table", "source": source}
        body = {"run_id": run.info.run_id, "datasets": [{"dataset": dataset}]}
        requests.post(gateway + "/api/2.0/mlflow/runs/log-inputs", json=body, timeout=30).raise_for_status()
        mlflow.log_metric("auc", auc)
        info = mlflow.pyfunc.log_model(
            name="model", python_model=lambda model_input: model_input, pip_requirements=[], registered_model_name="fraud"
        )
    return str(info.registered_model_version)


def denied(rule, words, call):
    try:
        call()
    except MlflowException as error:
        said = str(error)
        assert f"(rule: {rule}, record: " in said and "record: none" not in said, said
        assert all(word in said for word in words), f"{words}: {said}"
        return
    raise SystemExit(f"{rule} {words}: not denied")


def champion():
    return beside.get_model_version_by_alias("fraud", "champion").version


def promote(version, alias="champion"):
    client.set_registered_model_alias("fraud", alias, version)


def meddle(when, version):
    move = {"when": when, "name": "fraud", "alias": "champion", "version": version}
    requests.post(direct + "/meddle", json=move, timeout=30).raise_for_status()


def served(**entity):
    entity = {"entity_name": "fraud", "workload_size": "Small", "scale_to_zero_enabled": True, **entity}
    body = {"name": "fraud", "config": {"served_entities": [entity]}}
    answer = requests.post(gateway + "/api/2.0/serving-endpoints", json=body, timeout=60)
    if "longhorn: " in answer.text:
        raise MlflowException(answer.json()["message"])
    return answer


first, second, third, fourth = trained(0.95), trained(0.96), trained(0.97), trained(0.98)
promote(first)

# Somebody moves it while the gate reads files: nothing moves by this decision, and the next one sees what is.
meddle("between", second)
denied("alias-moved", ["from version 1 to version 2"], lambda: promote(third))
assert champion() == second
promote(third)
assert champion() == third

# Somebody moves it right after: that stands, and no node says that it does not.
meddle("after", first)
denied("alias-moved", ["from version 4 to version 1"], lambda: promote(fourth))
assert champion() == first
assert "longhorn.promotion.champion" not in client.get_model_version("fraud", fourth).tags

# What is served is judged as an alias is. MLflow's own server has no endpoints: what the gate lets through it does not find.
low = trained(0.5)
denied("gate", ["may not have `serving`", "metric (expected "], lambda: served(entity_version=low))
denied("serving-field", ["`environment_vars`"], lambda: served(entity_version=first, environment_vars={"A": "{{secrets/a/b}}"}))
denied("alias-reserved", [], lambda: promote(first, "serving"))
assert served(entity_version=first).status_code == 404

# Where people are asked, checks are not enough, and a job approves nothing.
denied("gate", ["approved (expected 1 of ada, grace", "ada: none, grace: none"], lambda: promote(first, "reviewed"))
tag = "longhorn.approval.reviewed.ada"
denied("tag-owned", [], lambda: client.set_model_version_tag("fraud", first, tag, "e30.e30.e30"))
print(first)
