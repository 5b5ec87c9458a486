"""Where the steps are: the workspace, who calls it, and what it holds."""

import json
import sys
import urllib.request

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

URL, VERSION, RENDERED = sys.argv[1:4]
# The version of the API that this SDK asks for clusters.
CLUSTERS_GET = {"0.20.0": "/api/2.0/clusters/get", "0.156.0": "/api/2.1/clusters/get"}[VERSION]
CLUSTER = "1001-234039-abcde739"
JOB, RUN = 605777310657626, 1020337925419295
PRINCIPAL, USER = "7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c11", "ada@example.com"


def client(name="agent", secret="agent-secret", patience=5):
    login = {"client_id": name, "client_secret": secret, "auth_type": "oauth-m2m"}
    return WorkspaceClient(config=Config(host=URL, http_timeout_seconds=5, retry_timeout_seconds=patience, **login))


def holder(token):
    """Who has a token and nothing else."""
    return WorkspaceClient(config=Config(host=URL, token=token, auth_type="pat", http_timeout_seconds=5, retry_timeout_seconds=5))


def post(path, document):
    urllib.request.urlopen(urllib.request.Request(URL + path, json.dumps(document).encode(), method="POST"), timeout=5).close()


def mint(claims):
    """A token of the simulated issuer."""
    asked = {"header": {"alg": "RS256", "kid": "rsa-1", "typ": "JWT"}, "claims": claims, "key": "rsa"}
    request = urllib.request.Request(URL + "/simulator/mint", json.dumps(asked).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)["token"]


def fault(**fault):
    post("/simulator/fault", fault)


def mend():
    post("/simulator/mend", {})
