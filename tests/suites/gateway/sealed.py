"""sealed.py URL MADE: what a job may not do to what is its own no more, or never was. MADE is a run and a logged model of it that were
made past the gateway, with the statements of an honest run copied onto them. Prints the honest run's id."""

import json
import pathlib
import sys
import tempfile
import time

import mlflow
import requests
from mlflow.exceptions import MlflowException
from mlflow.entities import Metric, Param, RunTag

url, foreign_run, foreign_model = sys.argv[1:]
mlflow.set_tracking_uri(url)
client = mlflow.MlflowClient()
count = 0


def denied(rule, call, *arguments, **named):
    global count
    count += 1
    began = time.monotonic()
    try:
        call(*arguments, **named)
    except MlflowException as error:
        assert f"(rule: {rule}, record: " in str(error) and "record: none" not in str(error), f"{rule}: {error}"
        assert time.monotonic() - began < 2, "it was tried again"
        return
    raise SystemExit(f"{rule}: not denied, number {count}")


def sent(method, path, body=None, **named):
    """A request that MLflow's client does not make by itself."""
    answer = requests.request(method, url + path, json=body, timeout=20, **named)
    if answer.status_code != 200:
        raise MlflowException(answer.json()["message"])
    return answer


def put(path):
    return sent("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}", data=b"evil")


def model_of(parameter):
    return lambda model_input: parameter


mlflow.set_experiment("sealed")
experiment = mlflow.get_experiment_by_name("sealed").experiment_id
with tempfile.TemporaryDirectory() as place, mlflow.start_run() as run:
    file = pathlib.Path(place, "weights.bin")
    file.write_bytes(b"honest")
    mlflow.log_param("depth", 3)
    mlflow.log_metric("auc", 0.91)
    mlflow.log_artifact(str(file), "old model")
    info = mlflow.pyfunc.log_model(name="model", python_model=model_of(1), pip_requirements=[], registered_model_name="sealed")
    # Whole, and its run still open: it may be evaluated, and no file of it changed.
    mlflow.log_metric("late", 0.5, model_id=info.model_id)
    denied("model-whole", put, f"{experiment}/models/{info.model_id}/artifacts/MLmodel")
    denied("model-whole", sent, "POST", f"/api/2.0/mlflow/logged-models/{info.model_id}/params", {"params": [{"key": "k", "value": "v"}]})
    # A version of the run's own files: those are as good as sealed, and the others are not.
    root = f"mlflow-artifacts:/{experiment}/{run.info.run_id}/artifacts"
    client.create_model_version("sealed", f"{root}/old model", run_id=run.info.run_id)
    denied("artifact-registered", put, f"{experiment}/{run.info.run_id}/artifacts/old model/weights.bin")
    denied("artifact-registered", put, f"{experiment}/{run.info.run_id}/artifacts/old model/more.bin")
    put(f"{experiment}/{run.info.run_id}/artifacts/old model 2/weights.bin")
    other = client.create_run(experiment)
    denied("source-of-another-run", client.create_model_version, "sealed", f"{root}/old model", run_id=other.info.run_id)
    denied("source-of-another-run", client.create_model_version, "sealed", f"models:/{info.model_id}", run_id=other.info.run_id)
    denied("source-of-another-run", client.create_model_version, "sealed", f"models:/{info.model_id}", model_id=foreign_model)
    client.set_terminated(other.info.run_id, "KILLED")
    pending = sent("POST", "/api/2.0/mlflow/logged-models", {"experiment_id": experiment, "name": "half", "source_run_id": run.info.run_id})
    pending = pending.json()["model"]["info"]["model_id"]
    denied("model-not-whole", client.create_model_version, "sealed", f"models:/{pending}")
    denied("status-unclear", sent, "PATCH", f"/api/2.0/mlflow/logged-models/{pending}", {"status": 2})

ended = run.info.run_id
for call, arguments in [
    (client.log_metric, (ended, "auc", 0.99)),
    (client.log_param, (ended, "depth", 4)),
    (client.set_tag, (ended, "note", "x")),
    (client.delete_tag, (ended, "mlflow.user")),
    (client.log_batch, (ended, [Metric("auc", 0.99, 1, 0)], [Param("a", "b")], [RunTag("a", "b")])),
    (client.set_terminated, (ended, "FAILED")),
    (client.update_run, (ended, "RUNNING")),
    (lambda run: mlflow.start_run(run_id=run), (ended,)),
    (lambda run: sent("POST", "/api/2.0/mlflow/runs/log-inputs", {"run_id": run, "datasets": [{"dataset": {"name": "gold", "digest": "0", "source_type": "local", "source": "{}"}}]}), (ended,)),
    (lambda run: sent("POST", "/api/2.0/mlflow/runs/outputs", {"run_id": run, "models": [{"model_id": info.model_id, "step": 0}]}), (ended,)),
    (lambda run: sent("POST", "/api/2.0/mlflow/runs/log-model", {"run_id": run, "model_json": json.dumps({"artifact_path": "m"})}), (ended,)),
    (lambda run: sent("POST", "/api/2.0/mlflow/runs/log-metric", {"run_uuid": run, "key": "auc", "value": 1.0, "timestamp": 1}), (ended,)),
    (lambda run: sent("POST", "/api/2.0/mlflow/logged-models", {"experiment_id": experiment, "name": "late", "source_run_id": run}), (ended,)),
    (lambda run: put(f"{experiment}/{run}/artifacts/late.txt"), (ended,)),
]:
    denied("run-ended", call, *arguments)
assert client.get_run(ended).data.metrics["auc"] == 0.91

# Somebody else's, with an honest run's statements on it.
for call, arguments in [
    (client.log_metric, (foreign_run, "auc", 0.99)),
    (client.set_terminated, (foreign_run,)),
    (lambda run: put(f"{experiment}/{run}/artifacts/x"), (foreign_run,)),
]:
    denied("run-unbound", call, *arguments)
# Its files are still that job's to write, and a version of them would close its directory.
named = {"name": "sealed", "source": f"runs:/{foreign_run}/"}
denied("run-of-another", sent, "POST", "/api/2.0/mlflow/model-versions/create", named)
assert "longhorn.registered" not in client.get_run(foreign_run).data.tags
# MLflow's clients take what stands between two slashes for a server, and leave out a tab.
for source in [f"runs://{ended}/{foreign_run}/model", "models:/sealed\t/1"]:
    denied("source-foreign", sent, "POST", "/api/2.0/mlflow/model-versions/create", {"name": "sealed", "source": source})
fresh = client.create_run(experiment).info.run_id
denied("model-of-another", client.log_metric, fresh, "auc", 0.99, model_id=foreign_model)
denied("model-of-another", sent, "POST", "/api/2.0/mlflow/runs/outputs", {"run_id": fresh, "models": [{"model_id": foreign_model, "step": 0}]})
denied("model-unbound", put, f"{experiment}/models/{foreign_model}/artifacts/MLmodel")
# A metric within names another run than the batch does.
denied("two-runs", sent, "POST", "/api/2.0/mlflow/runs/log-batch", {"run_id": fresh, "metrics": [{"key": "auc", "value": 1, "timestamp": 1, "step": 0, "run_id": foreign_run}]})
denied("run-unknown", client.log_metric, "0" * 32, "auc", 0.99)
denied("id-unclear", sent, "POST", "/api/2.0/mlflow/runs/log-metric", {"run_id": "../experiments/get", "key": "k", "value": 1, "timestamp": 1})
denied("artifact-place", put, f"{experiment}/elsewhere/artifacts/x")
denied("artifact-place", put, f"elsewhere/{fresh}/artifacts/x")
for source in ["models:/sealed/latest", "models:/sealed/Production", "models:/sealed@champion", "mlflow-artifacts:/elsewhere"]:
    denied("source-unclear", client.create_model_version, "sealed", source)
# A copy is of the run that the first was made in.
copy = client.create_model_version("copied", f"models:/sealed/{info.registered_model_version}") if client.create_registered_model("copied") else None
assert copy.run_id == ended, copy
client.set_terminated(fresh)
print(ended, info.model_id, count)
