"""Machine to machine, with the right secret and with a wrong one; and without any, by another issuer's token."""

import tempfile
import time

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.version import __version__

from steps.expect import same
from steps.place import CLUSTER, URL, VERSION, client, mint


def login(workspace):
    same("version", __version__, VERSION)
    same("authentication", workspace.config.auth_type, "oauth-m2m")
    same("authorization", workspace.config.authenticate(), {"Authorization": "Bearer simulated-access-token"})


def stranger(_):
    try:
        client(secret="wrong-secret").clusters.get(CLUSTER)
    except Exception as error:
        assert "invalid_client" in str(error) or "401" in str(error), repr(error)
    else:
        raise AssertionError("a wrong secret was accepted")


def federated(_):
    """A token about the workload is exchanged; one about another, for another or of the past is not."""
    if not hasattr(Config, "oidc_token_filepath"):
        print("lacks Config.oidc_token_filepath", flush=True)
        return
    honest = {"iss": URL, "aud": "00000000-0000-0000-0000-000000000000", "sub": "agent-workload", "exp": int(time.time()) + 600}

    def served(name="agent", **other):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(mint(honest | other))
            file.flush()
            login = {"client_id": name, "oidc_token_filepath": file.name, "auth_type": "file-oidc"}
            workspace = WorkspaceClient(config=Config(host=URL, http_timeout_seconds=5, retry_timeout_seconds=5, **login))
            return workspace.clusters.get(CLUSTER).cluster_id

    same("by exchange", served(), CLUSTER)
    for other in [{"sub": "another"}, {"aud": "longhorn"}, {"exp": 1}, {"iss": "https://another.example"}, {"name": "another"}]:
        try:
            served(**other)
        except Exception as error:
            assert "invalid_grant" in str(error) or "invalid_client" in str(error), repr(error)
        else:
            raise AssertionError(f"{other} was accepted")
