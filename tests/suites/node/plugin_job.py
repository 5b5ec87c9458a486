"""A job under the lock: a run in a store of files, and the header of a request, say what the token says."""

import os

import mlflow
from mlflow.tracking.request_header.registry import resolve_request_headers

with open("/run/longhorn/context.jwt", encoding="ascii") as file:
    token = file.read()
mlflow.set_tracking_uri("file:///local_disk0/mlruns")
with mlflow.start_run() as run:
    pass
tags = {name: value for name, value in mlflow.get_run(run.info.run_id).data.tags.items() if name.startswith("longhorn.")}
assert tags["longhorn.context"] == token, tags
assert tags["longhorn.subject"] == os.environ["LONGHORN_SUBJECT"], tags
assert tags["longhorn.scope"] == "fraud-training" and tags["longhorn.enforcement"] == "enforce", tags
assert len(tags["longhorn.policy_digest"]) == len(tags["longhorn.context_digest"]) == 64 and len(tags["longhorn.node_key"]) == 43, tags
assert resolve_request_headers()["X-Longhorn-Context"] == token
print("told as the token says")
