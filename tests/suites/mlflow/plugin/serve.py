"""serve.py SCRATCH: a real MLflow server of this environment on a free port of loopback, with nothing in it; prints READY and its
address. It ends, with all that it started, when standard input closes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

(SCRATCH,) = sys.argv[1:]

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
with open(os.path.join(SCRATCH, "server.log"), "wb") as log:
    server = subprocess.Popen(
        [sys.executable, "-B", "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        + ["--backend-store-uri", "sqlite:///%s/store.db" % SCRATCH, "--artifacts-destination", os.path.join(SCRATCH, "artifacts")],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        env=dict(os.environ, MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false"),
    )
try:
    until = time.monotonic() + 180
    while True:
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/health" % port, timeout=5) as answer:
                assert answer.read() == b"OK"
            break
        except (urllib.error.URLError, OSError):
            if server.poll() is not None or time.monotonic() > until:
                with open(os.path.join(SCRATCH, "server.log"), encoding="utf-8") as log:
                    sys.exit(log.read())
            time.sleep(0.2)
    print("READY http://127.0.0.1:%d" % port, flush=True)
    sys.stdin.read()
finally:
    try:
        # Its workers are in its session.
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(10)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
