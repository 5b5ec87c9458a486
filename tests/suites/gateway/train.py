"""train.py URL: what a data scientist's job does with MLflow, of any version. Nothing in it knows of a gateway. Prints the run's id."""

import importlib.util
import pathlib
import sys
import tempfile

import mlflow

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("fraud")
with mlflow.start_run(tags={"team": "risk"}) as run:
    mlflow.log_params({"depth": 3, "kind": "tree"})
    for step, loss in enumerate([0.5, 0.25, 0.1234567890123456789]):
        mlflow.log_metric("loss", loss, step=step)
    mlflow.log_metrics({"auc": 0.91, "f1": 0.8})
    mlflow.set_tag("note", "it’s “quoted” \\ and\nbroken")
    with tempfile.TemporaryDirectory() as place:
        large = pathlib.Path(place, "weights ü.bin")
        large.write_bytes(bytes(range(256)) * 4096)
        mlflow.log_artifact(str(large), "model parts")
    if importlib.util.find_spec("numpy"):
        named = "name" if mlflow.__version__.split(".")[0] == "3" else "artifact_path"
        mlflow.pyfunc.log_model(
            **{named: "model"}, python_model=lambda model_input: model_input, pip_requirements=[], registered_model_name="fraud"
        )
    else:
        # A client without NumPy makes no model of its own; it logs and registers one all the same.
        mlflow.log_text("flavors: {}", "model/MLmodel")
        mlflow.register_model(f"runs:/{run.info.run_id}/model", "fraud")
client = mlflow.MlflowClient()
seen = client.get_run(run.info.run_id)
assert seen.info.status == "FINISHED", seen.info.status
assert seen.data.metrics["loss"] == 0.1234567890123456789, seen.data.metrics
assert seen.data.tags["note"] == "it’s “quoted” \\ and\nbroken", seen.data.tags
back = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="model parts/weights ü.bin")
assert pathlib.Path(back).read_bytes() == bytes(range(256)) * 4096
version = max(client.search_model_versions("name='fraud'"), key=lambda version: int(version.version))
assert version.run_id == run.info.run_id, version
found = client.search_runs([run.info.experiment_id], "metrics.auc > 0.9", order_by=["attributes.start_time DESC"])
assert found[0].info.run_id == run.info.run_id, found
print(run.info.run_id)
