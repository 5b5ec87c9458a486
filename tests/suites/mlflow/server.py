"""server.py DIRECTORY: a real MLflow server with SQLite and its artifacts in DIRECTORY, on a free port of this machine alone.

Prints its address once it answers, and ends, with all that it started, when standard input does."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

place = pathlib.Path(sys.argv[1]).resolve()
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
url = f"http://127.0.0.1:{port}"
command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
command += ["--backend-store-uri", f"sqlite:///{place}/mlflow.db", "--artifacts-destination", str(place / "artifacts")]
# Nothing of this machine's own, and no helpers that run jobs. The server starts a second Python by the name `python`.
path = f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin"
environment = {"HOME": str(place), "PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
with open(place / "server.log", "w") as log:
    to = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
    server = subprocess.Popen(command, env=environment, cwd=place, start_new_session=True, **to)


def answers():
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


try:
    deadline = time.monotonic() + 180
    while not answers():
        if server.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the server does not answer: {(place / 'server.log').read_text()}")
        time.sleep(0.2)
    print(url, flush=True)
    sys.stdin.read()
finally:
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    server.wait()
