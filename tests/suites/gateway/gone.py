"""gone.py URL DIRECT: who sends a whole file and goes away, and seals at once what the file is of: the seal waits until the registry has
stored it. DIRECT is a way to the registry that is slow to store when told to; see `meddler.py`."""

import socket
import sys
import time
import urllib.parse

import mlflow
import requests

url, direct = sys.argv[1:]
mlflow.set_tracking_uri(url)
client = mlflow.MlflowClient()
gateway = urllib.parse.urlsplit(url)
FILES = "/api/2.0/mlflow-artifacts/artifacts"


def gone(path, body):
    """The whole of it, and then nobody is there."""
    told = requests.post(direct + "/meddle", json={"when": "store", "seconds": 3}, timeout=20)
    assert told.status_code == 200
    with socket.create_connection((gateway.hostname, gateway.port), timeout=30) as line:
        line.sendall(f"PUT {FILES}/{path} HTTP/1.1\r\nHost: {gateway.netloc}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        # It has reached the registry, and is not stored.
        time.sleep(1)
    time.sleep(0.2)
    assert stored(path) == b"old"


def stored(path):
    return requests.get(f"{direct}{FILES}/{path}", timeout=20).content


def put(path):
    answer = requests.put(f"{url}{FILES}/{path}", data=b"old", timeout=60)
    assert answer.status_code == 200, answer.text


run = client.create_run("0").info.run_id
body = {"experiment_id": "0", "name": "gone", "source_run_id": run}
model = requests.post(f"{url}/api/2.0/mlflow/logged-models", json=body, timeout=20).json()["model"]["info"]["model_id"]
path = f"0/models/{model}/artifacts/model.pkl"
put(path)
gone(path, b"new")
answer = requests.patch(f"{url}/api/2.0/mlflow/logged-models/{model}", json={"model_id": model, "status": "LOGGED_MODEL_READY"}, timeout=60)
assert answer.status_code == 200, answer.text
assert stored(path) == b"new", "sealed before it was stored"

path = f"0/{run}/artifacts/model.pkl"
put(path)
gone(path, b"new")
client.set_terminated(run)
assert stored(path) == b"new", "sealed before it was stored"
