"""asks.py PORT|SOCKET [SECONDS]: one plain request to the gateway, by hand; prints status and body. With SECONDS, a second one so
much later on the same connection."""

import http.client
import socket
import sys
import time

where = sys.argv[1]
if where.startswith("/"):
    connection = http.client.HTTPConnection("longhorn.invalid", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(20)
    connection.sock.connect(where)
else:
    connection = http.client.HTTPConnection("127.0.0.1", int(where), timeout=20)
for pause in [0, *map(float, sys.argv[2:])]:
    time.sleep(pause)
    connection.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
    answer = connection.getresponse()
    print(answer.status, answer.read().decode())
