"""Runs on a node whose gateway leads to a real MLflow server, which the node reaches directly as well. Prints `NAME VALUE` for every figure:
the median time of one request through the gateway, as a ratio of the same request sent straight to the server."""
import glob
import json
import os
import socket
import statistics
import subprocess
import sys
import time

INIT = ["/mnt/host/bundle/longhorn", "init", "--settings", "/mnt/host/bundle/longhorn.toml"]
# A server is slow for its first requests; those are not counted.
FIRST, PAIRS = 40, 400
API = "/api/2.0/mlflow"


class Connection:
    """One connection that is kept; 200 or nothing."""

    def __init__(self, port):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def ask(self, method, path, body=b""):
        """The answer, and the seconds until its last byte was there."""
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        request = f"{method} {API}{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{kind}\r\n".encode() + body
        began = time.perf_counter()
        self.socket.sendall(request)
        status = self.reader.readline()
        assert b" 200 " in status, status
        length = 0
        while (line := self.reader.readline()) != b"\r\n":
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        answer = self.reader.read(length)
        return answer, time.perf_counter() - began


def client(*ports):
    """Pairs of the same request on both ways, so that both see the same server; now the one first, now the other."""
    ways = [Connection(port) for port in ports]
    made, _ = ways[0].ask("POST", "/runs/create", b'{"experiment_id":"0"}')
    run = json.loads(made)["run"]["info"]["run_id"]

    def metric(step):
        body = {"run_id": run, "key": "loss", "value": 0.25, "timestamp": 1700000000000 + step, "step": step}
        return "POST", "/runs/log-metric", json.dumps(body).encode()

    for name, request in [("log-metric", metric), ("runs-get", lambda _: ("GET", f"/runs/get?run_id={run}"))]:
        times = ([], [])
        for pair in range(FIRST + PAIRS):
            for way in (0, 1) if pair % 2 else (1, 0):
                _, took = ways[way].ask(*request(2 * pair + way))
                if pair >= FIRST:
                    times[way].append(took)
        gateway, direct = map(statistics.median, times)
        print(f"# {name}: {gateway * 1e3:.3f} against {direct * 1e3:.3f} milliseconds", file=sys.stderr)
        print(f"gateway-{name}-to-direct", gateway / direct)


if sys.argv[1] == "client":
    client(*map(int, sys.argv[2:]))
else:
    subprocess.run(INIT, check=True, stdout=subprocess.DEVNULL)
    # The server and what runs here go before the machine's other work (sched(7)), and so does what stands between them.
    for status in glob.glob("/proc/[0-9]*/task/*/status"):
        if "\nUid:\t64222" in open(status).read():
            os.sched_setscheduler(int(status.split("/")[4]), os.SCHED_RR, os.sched_param(1))
    # Python is covered: the client is a process of the locked job.
    subprocess.run(["/usr/bin/python3", __file__, "client", *sys.argv[1:]], check=True)
