"""asks.py PORT: one question to the gateway, and its answer on one line."""

import sys
import urllib.error
import urllib.request

url = f"http://127.0.0.1:{sys.argv[1]}/api/2.0/mlflow/experiments/search?max_results=1"
try:
    with urllib.request.urlopen(url, timeout=60) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
