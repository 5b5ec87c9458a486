"""A loopback proxy between MLflow's client and its server: passes everything on and keeps which values of Longhorn's header came
with each request."""

import http.client
import http.server
import threading
import urllib.parse

NAME = "X-Longhorn-Context"
HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade"}


class Recorder:
    def __init__(self, upstream):
        self.seen = []
        recorder, target = self, urllib.parse.urlsplit(upstream).netloc

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                recorder.seen.append((self.command, self.path.split("?")[0], self.headers.get_all(NAME, [])))
                length = int(self.headers.get("Content-Length", 0))
                if self.headers.get("Transfer-Encoding"):
                    raise ValueError("this proxy does not read chunks")
                body = self.rfile.read(length) if length else None
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP | {"host"}}
                server = http.client.HTTPConnection(target, timeout=120)
                server.request(self.command, self.path, body, dict(headers, Host=target))
                answer = server.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in HOP | {"content-length"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                server.close()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = pass_on

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.uri = "http://127.0.0.1:%d" % self.server.server_address[1]

    def since(self, count):
        """What came after the first `count` requests; there must be something."""
        found = self.seen[count:]
        assert found, "no request came through the recorder"
        return found

    def all_carry(self, count, header):
        """Every request since then had the header exactly once, with this value, or not at all."""
        wanted = [] if header is None else [header]
        for method, path, values in self.since(count):
            assert values == wanted, "%s %s carried %r" % (method, path, [value[:40] for value in values])
