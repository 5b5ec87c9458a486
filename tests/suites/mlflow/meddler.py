"""meddler.py URL: stands before the registry at URL and passes everything on; told to, it moves an alias at the worst moment, as somebody
else would who reaches the registry past the gateway. Prints its address, and ends when standard input does.

POST /meddle {"when": "between" | "after", "name": …, "alias": …, "version": …} tells it, for once: `between` moves the alias as soon as
the gateway has looked where it stands, `after` as soon as it has moved it.

POST /meddle {"when": "store", "seconds": …} makes it, for once, take so long before it passes a file on."""

import http.client
import http.server
import json
import sys
import threading
import time
import urllib.parse

registry = urllib.parse.urlsplit(sys.argv[1])
told = []


def asked(method, path, headers, body):
    """The registry's answer: status, headers, body."""
    line = http.client.HTTPConnection(registry.hostname, registry.port, timeout=60)
    passed = {name: value for name, value in headers.items() if name.lower() not in ("host", "connection", "transfer-encoding", "content-length")}
    line.request(method, path, body=body, headers=passed)
    answer = line.getresponse()
    result = answer.status, answer.getheaders(), answer.read()
    line.close()
    return result


class Meddler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def meddle(self):
        path = self.path.split("?")[0]
        now = {("GET", "/api/2.0/mlflow/registered-models/get"): "between", ("POST", "/api/2.0/mlflow/registered-models/alias"): "after"}
        # What the gateway asks by itself carries no job's context: clients look, too.
        own = "x-longhorn-context" not in self.headers
        if told and told[0]["when"] == now.get((self.command, path)) and own == (self.command == "GET"):
            move = told.pop()
            move.pop("when")
            fields = {"Content-Type": "application/json"}
            status, _, said = asked("POST", "/api/2.0/mlflow/registered-models/alias", fields, json.dumps(move).encode())
            assert status == 200, said

    def answer(self):
        body = self.body()
        if self.path == "/meddle":
            told.append(json.loads(body))
            status, headers, answer = 200, [], b"{}"
        else:
            if self.command == "PUT" and told and told[0]["when"] == "store":
                time.sleep(told.pop()["seconds"])
            status, headers, answer = asked(self.command, self.path, self.headers, body)
            self.meddle()
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Meddler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
sys.stdin.read()
