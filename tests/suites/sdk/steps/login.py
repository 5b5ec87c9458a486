"""Machine to machine, with the right secret and with a wrong one."""

from databricks.sdk.version import __version__

from steps.expect import same
from steps.place import CLUSTER, VERSION, client


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
