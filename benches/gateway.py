"""Runs on a node whose gateway leads to nginx that answers at once. Prints `NAME VALUE` for every figure: CPU of one request, as a ratio of
what nginx takes to pass the same on; memory of the sidecar while two gibibytes pass."""
import glob
import http.server
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time

INIT = ["/mnt/host/bundle/longhorn", "init", "--settings", "/mnt/host/bundle/longhorn.toml"]
ROUNDS, REQUESTS = 9, 2000
METRICS = ",".join(f'{{"key":"metric-{at}","value":0.{at}1234567,"timestamp":1700000000000,"step":{at}}}' for at in range(44))
RUN = "0123456789abcdef0123456789abcdef"
BODY = f'{{"run_id":"{RUN}","metrics":[{METRICS}],"params":[],"tags":[]}}'.encode()
UPLOAD = 2 << 30


def head(port, method, path, kind, length):
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()
    )


def answer(reader):
    """Reads one answer; 200 or nothing."""
    status = reader.readline()
    assert b" 200 " in status, status
    length = 0
    while (line := reader.readline()) != b"\r\n":
        name, value = line.split(b":", 1)
        if name.lower() == b"content-length":
            length = int(value)
    reader.read(length)


def client(port, count):
    """So many requests on one connection, one after the other."""
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as reader:
        request = head(port, "POST", "/api/2.0/mlflow/runs/log-batch", "application/json", len(BODY)) + BODY
        for _ in range(count):
            connection.sendall(request)
            answer(reader)


def upload(port):
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as reader:
        path = f"/api/2.0/mlflow-artifacts/artifacts/1/{RUN}/artifacts/weights.bin"
        connection.sendall(head(port, "PUT", path, "application/octet-stream", UPLOAD))
        block = bytes(1 << 20)
        for _ in range(UPLOAD // len(block)):
            connection.sendall(block)
        answer(reader)


def create(port):
    """The run that is written to: the gateway writes to runs that it signed for."""
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as reader:
        body = b'{"experiment_id":"1","tags":[]}'
        connection.sendall(head(port, "POST", "/api/2.0/mlflow/runs/create", "application/json", len(body)) + body)
        answer(reader)


class Registry(http.server.BaseHTTPRequestHandler):
    """As much of a registry as keeps one run and its tags."""

    protocol_version = "HTTP/1.1"
    tags = {}

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/set-tag"):
            self.tags[body["key"]] = body["value"]
        else:
            self.tags.update((tag["key"], tag["value"]) for tag in body["tags"])
        self.do_GET()

    def do_GET(self):
        tags = [{"key": key, "value": value} for key, value in self.tags.items()]
        info = {"run_id": RUN, "status": "RUNNING", "artifact_uri": f"mlflow-artifacts:/1/{RUN}/artifacts"}
        answer = json.dumps({"run": {"info": info, "data": {"tags": tags}}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def used(process):
    """CPU seconds of all threads (Documentation/scheduler/sched-stats.rst: nanoseconds on the processor)."""
    return sum(int(open(task).read().split()[0]) for task in glob.glob(f"/proc/{process}/task/*/schedstat")) / 1e9


def status(process, name):
    return next(line.split()[1] for line in open(f"/proc/{process}/status") if line.startswith(name + ":"))


def nginx(name, port, server):
    """A server of one worker; its worker's process id."""
    place = f"/tmp/nginx-{name}"
    os.makedirs(place)
    with open(f"{place}/nginx.conf", "w") as file:
        file.write(
            f"worker_processes 1; pid {place}/pid; error_log {place}/error.log; events {{}}\n"
            f"http {{ access_log off; keepalive_requests 100000000; client_max_body_size 0; client_body_temp_path {place};\n"
            f"proxy_temp_path {place}; fastcgi_temp_path {place}; uwsgi_temp_path {place}; scgi_temp_path {place};\n{server}\n}}\n"
        )
    subprocess.run(["nginx", "-c", f"{place}/nginx.conf"], check=True)
    while not (os.path.exists(f"{place}/pid") and open(f"{place}/pid").read().strip()):
        time.sleep(0.05)
    master = open(f"{place}/pid").read().strip()
    while not (workers := open(f"/proc/{master}/task/{master}/children").read().split()):
        time.sleep(0.05)
    return workers[0], port


def main():
    gateway, stub, proxy, registry = map(int, sys.argv[1:])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", registry), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept = "".join(f"location = /api/2.0/mlflow/runs/{name} {{ proxy_pass http://127.0.0.1:{registry}; }} " for name in ["create", "set-tag", "get"])
    nginx(
        "stub",
        stub,
        f"server {{ listen 127.0.0.1:{stub}; default_type application/json; {kept} location / {{ return 200 '{{}}'; }} }}",
    )
    passing, _ = nginx(
        "proxy",
        proxy,
        f"upstream stub {{ server 127.0.0.1:{stub}; keepalive 4; keepalive_requests 100000000; }}\n"
        f"server {{ listen 127.0.0.1:{proxy}; location / {{ proxy_pass http://stub; proxy_http_version 1.1; "
        'proxy_set_header Connection ""; } }',
    )
    subprocess.run(INIT, check=True, stdout=subprocess.DEVNULL)
    sidecar = next(path.split("/")[2] for path in glob.glob("/proc/[0-9]*/status") if "\nUid:\t64222" in open(path).read())

    subprocess.run(["/usr/bin/python3", __file__, "create", str(gateway)], check=True)

    def cost(process, port):
        began = used(process)
        subprocess.run(["/usr/bin/python3", __file__, "client", str(port), str(REQUESTS)], check=True)
        return (used(process) - began) / REQUESTS * 1e6

    cost(sidecar, gateway), cost(passing, proxy)
    pairs = [(cost(sidecar, gateway), cost(passing, proxy)) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(side) for side in zip(*pairs))
    print(f"# {len(BODY)} bytes: {ours:.1f} against {theirs:.1f} microseconds", file=sys.stderr)
    print("gateway-request-to-nginx", statistics.median(one / other for one, other in pairs))
    # Begins the high-water mark anew (proc_pid_clear_refs(5)).
    with open(f"/proc/{sidecar}/clear_refs", "w") as file:
        file.write("5")
    subprocess.run(["/usr/bin/python3", __file__, "upload", str(gateway)], check=True)
    print("gateway-upload-mebibytes", int(status(sidecar, "VmHWM")) / 1024)


if sys.argv[1] == "client":
    client(*map(int, sys.argv[2:]))
elif sys.argv[1] == "upload":
    upload(int(sys.argv[2]))
elif sys.argv[1] == "create":
    create(int(sys.argv[2]))
else:
    main()
