"""denied.py RUN: what the policy does not give, by MLflow's own client: one request each, no retry, and a sentence."""

import os
import sys
import time

import mlflow
import requests
from mlflow.exceptions import MlflowException

run = sys.argv[1]
client = mlflow.MlflowClient()
host = os.environ["DATABRICKS_HOST"]


def denied(rule, call):
    began = time.monotonic()
    try:
        call()
    except MlflowException as error:
        assert error.error_code == "PERMISSION_DENIED", error
        assert f"(rule: {rule}, record: " in str(error) and "record: none" not in str(error), error
        assert time.monotonic() - began < 3, "it was tried again"
        return
    raise SystemExit(f"{rule}: not denied")


denied("tag-owned", lambda: client.set_tag(run, "longhorn.run_seal", "x"))
denied("run-ended", lambda: client.log_metric(run, "auc", 0.99))
denied("not-permitted", lambda: client.delete_run(run))
# The SDK asks what host this is; nobody else's paths are answered, whatever token is shown.
answer = requests.get(f"{host}/.well-known/databricks-config", timeout=10)
assert (answer.status_code, answer.json()) == (200, {"oidc_endpoint": f"{host}/oidc"}), answer.text
for path in ("/oidc/.well-known/oauth-authorization-server", "/api/2.1/clusters/list", "/api/2.0/secrets/list", "/.well-known/x"):
    answer = requests.get(host + path, timeout=10, headers={"Authorization": "Bearer simulated-access-token"})
    assert answer.status_code == 403 and "endpoint-unknown" in answer.text, (path, answer.status_code, answer.text)
