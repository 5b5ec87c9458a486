"""denied.py URL RUN: what the policy does not give, by MLflow's own client: one request each, no retry, and a sentence."""

import sys
import time

import mlflow
from mlflow.exceptions import MlflowException

url, run = sys.argv[1:]
mlflow.set_tracking_uri(url)
client = mlflow.MlflowClient()


def denied(rule, call):
    began = time.monotonic()
    try:
        call()
    except MlflowException as error:
        assert error.error_code == "PERMISSION_DENIED", error
        assert f"(rule: {rule}, record: " in str(error) and "record: none" not in str(error), error
        assert time.monotonic() - began < 1.5, "it was tried again"
        return
    raise SystemExit(f"{rule}: not denied")


denied("tag-owned", lambda: client.set_tag(run, "longhorn.run_seal", "x"))
denied("not-permitted", lambda: client.delete_run(run))
denied("not-permitted", lambda: client.delete_registered_model("fraud"))
denied("not-permitted", lambda: client.set_registered_model_alias("fraud", "champion", 1))
denied("artifact-location", lambda: client.create_experiment("elsewhere", artifact_location="s3://elsewhere/x"))
denied("source-foreign", lambda: client.create_model_version("fraud", "s3://evil/k", run_id=run))
assert client.get_run(run).data.tags["longhorn.run_seal"] != "x"
