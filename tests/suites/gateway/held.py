"""held.py URL DIRECT: uploads whose last byte comes when nothing may be written there any more. What another node of the same job would
have done meanwhile is done at DIRECT, the registry itself: this node's gateway knows nothing of it."""

import http.client
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


class Upload:
    """One that has sent all but its last byte, or all but its last piece's end."""

    def __init__(self, path, body, chunked):
        self.socket = socket.create_connection((gateway.hostname, gateway.port), timeout=30)
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
        sent = b"%x\r\n%b\r\n" % (len(body), body) if chunked else body[:-1]
        self.last = b"0\r\n\r\n" if chunked else body[-1:]
        head = f"PUT {FILES}/{path} HTTP/1.1\r\nHost: {gateway.netloc}\r\nContent-Type: application/octet-stream\r\n{length}\r\n\r\n"
        self.socket.sendall(head.encode() + sent)
        # It was decided about by then, and what is not held is on its way.
        time.sleep(0.5)

    def end(self):
        self.socket.sendall(self.last)
        answer = http.client.HTTPResponse(self.socket, method="PUT")
        answer.begin()
        said = answer.read().decode()
        self.socket.close()
        return answer.status, said


def asked(method, path, body):
    answer = requests.request(method, direct + path, json=body, timeout=20)
    assert answer.status_code == 200, answer.text


def put(path, body):
    answer = requests.put(f"{url}{FILES}/{path}", data=body, timeout=60)
    assert answer.status_code == 200, answer.text


def stored(path):
    return requests.get(f"{direct}{FILES}/{path}", timeout=20).content


def made():
    run = client.create_run("0")
    return run.info.run_id, f"0/{run.info.run_id}/artifacts"


def logged(run):
    body = {"experiment_id": "0", "name": "held", "source_run_id": run}
    answer = requests.post(f"{url}/api/2.0/mlflow/logged-models", json=body, timeout=20)
    model = answer.json()["model"]["info"]["model_id"]
    return model, f"0/models/{model}/artifacts"


def ended(run, _):
    asked("POST", "/api/2.0/mlflow/runs/update", {"run_id": run, "status": "FINISHED"})


def registered(run, _):
    asked("POST", "/api/2.0/mlflow/runs/set-tag", {"run_id": run, "key": "longhorn.registered", "value": '["model"]'})


def whole(_, model):
    asked("PATCH", f"/api/2.0/mlflow/logged-models/{model}", {"model_id": model, "status": "LOGGED_MODEL_READY"})


for chunked in False, True:
    for rule, change in [("run-ended", ended), ("artifact-registered", registered), ("model-whole", whole)]:
        run, files = made()
        model, of_model = logged(run) if change is whole else (None, None)
        path = f"{of_model or files}/model/model.pkl"
        put(path, b"approved")
        # One that passes is as it was sent: the same way, to its end.
        upload = Upload(path, b"honest", chunked)
        assert upload.end() == (200, "") and stored(path) == b"honest"
        upload = Upload(path, b"evil", chunked)
        large = Upload(path, b"evil" * 250_000, chunked)
        change(run, model)
        for held in upload, large:
            status, said = held.end()
            assert status == 403 and f"(rule: {rule}, record: " in said and "record: none" not in said, (status, said)
        time.sleep(0.5)
        assert stored(path) == b"honest", rule

    # Who goes away before the end has stored nothing.
    run, files = made()
    path = f"{files}/model.pkl"
    put(path, b"approved")
    upload = Upload(path, b"evil" * 250_000, chunked)
    upload.socket.close()
    time.sleep(0.5)
    assert stored(path) == b"approved"

# As clients do it: one connection, several files, one of them empty.
run, files = made()
with requests.Session() as session:
    for name, body in [("a", b"a" * 3_000_000), ("b", b""), ("c", b"c"), ("d", iter([b"d", b"", b"d" * 100_000]))]:
        answer = session.put(f"{url}{FILES}/{files}/{name}", data=body, timeout=60)
        assert answer.status_code == 200, answer.text
assert [len(stored(f"{files}/{name}")) for name in "abcd"] == [3_000_000, 0, 1, 100_001]
client.set_terminated(run)
