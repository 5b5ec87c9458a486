"""reviewed.py GATEWAY DIRECT: the version that somebody approved gets the alias, and no other one does."""

import sys

import mlflow
from mlflow.exceptions import MlflowException

gateway, _ = sys.argv[1:]
mlflow.set_tracking_uri(gateway)
client = mlflow.MlflowClient()
approval = client.get_model_version("fraud", "1").tags["longhorn.approval.reviewed.ada"]
try:
    client.set_registered_model_alias("fraud", "reviewed", "2")
    raise SystemExit("an approval of version 1 was taken for one of version 2")
except MlflowException as error:
    assert "approved (expected " in str(error) and "ada: one of another version" in str(error), error
client.set_registered_model_alias("fraud", "reviewed", "1")
assert client.get_model_version_by_alias("fraud", "reviewed").version == "1"
assert "longhorn.promotion.reviewed" in client.get_model_version("fraud", "1").tags
print("done")
