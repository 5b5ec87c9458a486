"""Requests to MLflow by hand, byte by byte: no client in between tidies them up. Standard library alone.

A token in MLFLOW_TRACKING_TOKEN is shown, as MLflow's own client does."""

import http.client
import json
import os
import socket
import urllib.parse

JSON = "application/json"


class Server:
    """An MLflow server, or whatever stands before one."""

    def __init__(self, base):
        url = urllib.parse.urlsplit(base)
        self.address = url.hostname, url.port
        self.host = url.netloc

    def send(self, method, target, body=b"", *more, host=None, kind=JSON, lengths=True):
        """Sends exactly this; returns the status and the text of the answer, or 0 and nothing where there is none."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host or self.host}", "Connection: close", *more]
        if body and kind:
            lines.append(f"Content-Type: {kind}")
        if lengths and (body or method not in ("GET", "HEAD")):
            lines.append(f"Content-Length: {len(body)}")
        token = os.environ.get("MLFLOW_TRACKING_TOKEN")
        if token:
            lines.append(f"Authorization: Bearer {token}")
        with socket.create_connection(self.address, timeout=60) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            answer = http.client.HTTPResponse(connection, method=method)
            try:
                answer.begin()
                return answer.status, answer.read().decode("utf-8", "replace")
            except (http.client.HTTPException, ConnectionError):
                return 0, ""

    def ask(self, method, path, fields):
        """An honest request; returns the status and the answer."""
        if method == "GET":
            status, text = self.send(method, f"{path}?{urllib.parse.urlencode(fields)}")
        else:
            status, text = self.send(method, path, json.dumps(fields).encode())
        return status, json.loads(text) if status == 200 and text else {}

    def must(self, method, path, fields):
        """An honest request that a check rests on: without it the check says nothing."""
        status, answer = self.ask(method, path, fields)
        if status != 200:
            raise SystemExit(f"{method} {path} was needed, and answered {status}")
        return answer

    def run(self, experiment="0"):
        """A new run."""
        return self.must("POST", "/api/2.0/mlflow/runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]

    def seen(self, run):
        """A run as the server has it."""
        return self.must("GET", "/api/2.0/mlflow/runs/get", {"run_id": run})["run"]

    def tags(self, run):
        return {tag["key"]: tag["value"] for tag in self.seen(run)["data"].get("tags", [])}


def main(every, *arguments):
    """Runs each, in the order in which they are written, and prints one line about it: its name, what came of it, the status."""
    for trick in every:
        honoured, status = trick(*arguments)
        print(trick.__name__, "honoured" if honoured else "refused", status, flush=True)
