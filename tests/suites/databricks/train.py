"""train.py: a job that trains on Databricks, by MLflow of any version that speaks its `databricks`. Nothing in it knows of a gateway.
Prints the run's id."""

import mlflow

assert mlflow.get_tracking_uri() == "databricks", mlflow.get_tracking_uri()
mlflow.set_experiment("/Shared/fraud")
with mlflow.start_run(tags={"team": "risk"}) as run:
    mlflow.log_params({"depth": 3, "kind": "tree"})
    for step, loss in enumerate([0.5, 0.25, 0.125]):
        mlflow.log_metric("loss", loss, step=step)
    mlflow.log_metrics({"auc": 0.91, "f1": 0.8})
    mlflow.set_tag("note", "a “quoted” one")
client = mlflow.MlflowClient()
seen = client.get_run(run.info.run_id)
assert seen.info.status == "FINISHED", seen.info.status
assert seen.info.artifact_uri.startswith("dbfs:/databricks/mlflow-tracking/"), seen.info.artifact_uri
assert seen.data.metrics["loss"] == 0.125 and seen.data.metrics["auc"] == 0.91, seen.data.metrics
assert seen.data.tags["note"] == "a “quoted” one", seen.data.tags
for key in ("longhorn.context", "longhorn.run_binding", "longhorn.run_seal"):
    assert seen.data.tags.get(key, "").count(".") == 2, key
found = client.search_runs([run.info.experiment_id], "metrics.auc > 0.9", order_by=["attributes.start_time DESC"])
assert found[0].info.run_id == run.info.run_id, found
print(run.info.run_id)
