"""roles.py URL EXPERIMENT RUN: tries one real thing of each class that a role may or may not, by MLflow's client and by hand. Prints
`CLASS done` where the server did it and `CLASS denied` where the policy does not give it."""

import sys

import mlflow
import requests
from mlflow.exceptions import MlflowException

url, experiment, run = sys.argv[1:]
mlflow.set_tracking_uri(url)
client = mlflow.MlflowClient()


def sent(method, path, body=None, **named):
    answer = requests.request(method, url + path, json=body, timeout=20, **named)
    if answer.status_code == 403:
        raise MlflowException(answer.json()["message"])
    assert answer.status_code == 200, (method, path, answer.status_code, answer.text)
    return answer


def served():
    """Whoever may deploy is asked what: the gate finds no rule for endpoints."""
    entity = {"entity_name": "fraud", "entity_version": "1", "workload_size": "Small"}
    try:
        sent("POST", "/api/2.0/serving-endpoints", {"name": "fraud", "config": {"served_entities": [entity]}})
    except MlflowException as error:
        if "alias-ruled (expected " not in str(error):
            raise


# What is its own to write to, where it may make one.
try:
    own = client.create_run(experiment).info.run_id
except MlflowException:
    own = run
file = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{own}/artifacts/x"
dataset = {"name": "gold", "digest": "0", "source_type": "local", "source": "{}"}
TRIES = [
    ("run.read", lambda: client.get_run(run)),
    ("run.write", lambda: client.create_run(experiment)),
    ("run.tag", lambda: client.set_tag(own, "a", "b")),
    ("lineage.write", lambda: sent("POST", "/api/2.0/mlflow/runs/log-inputs", {"run_id": own, "datasets": [{"dataset": dataset}]})),
    ("artifact.write", lambda: sent("PUT", file, data=b"x")),
    ("artifact.read", lambda: sent("GET", f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/there.txt")),
    ("artifact.delete", lambda: sent("DELETE", file)),
    ("run.delete", lambda: client.delete_run(run)),
    ("experiment.read", lambda: client.get_experiment(experiment)),
    ("experiment.write", lambda: client.set_experiment_tag(experiment, "a", "b")),
    ("experiment.admin", lambda: client.rename_experiment(experiment, "renamed")),
    ("model.read", lambda: client.get_registered_model("fraud")),
    ("model.register", lambda: client.update_registered_model("fraud", "described")),
    ("model.tag", lambda: client.set_registered_model_tag("fraud", "a", "b")),
    ("model.promote", lambda: client.delete_registered_model_alias("fraud", "champion")),
    ("model.deploy", served),
    ("model.delete", lambda: client.delete_registered_model("fraud")),
    ("dataset.read", lambda: sent("POST", "/api/3.0/mlflow/datasets/search", {"experiment_ids": [experiment]})),
    ("trace.read", lambda: sent("GET", f"/api/2.0/mlflow/traces?experiment_ids={experiment}")),
    ("server.info", lambda: sent("GET", "/version")),
]
for name, call in TRIES:
    try:
        call()
    except MlflowException as error:
        assert "(rule: not-permitted, record: " in str(error), f"{name}: {error}"
        print(name, "denied")
    else:
        print(name, "done")
