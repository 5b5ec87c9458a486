"""asks.py PORT [SECONDS]: one plain request to the gateway, by hand; prints status and body. With SECONDS, a second one so much
later on the same connection."""

import http.client
import sys
import time

connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
for pause in [0, *map(float, sys.argv[2:])]:
    time.sleep(pause)
    connection.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
    answer = connection.getresponse()
    print(answer.status, answer.read().decode())
