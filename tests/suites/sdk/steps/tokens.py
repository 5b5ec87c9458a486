"""Personal access tokens: made, used, revoked, expired; and another's."""

import sys
import time

from databricks.sdk.core import DatabricksError
from databricks.sdk.service import settings

from steps.expect import refused, same
from steps.place import CLUSTER, client, holder

TWO_YEARS = 2 * 365 * 24 * 60 * 60 * 1000


def tokens(workspace):
    api = workspace.tokens
    before = int(time.time() * 1000)
    same("none", list(api.list()), [])
    made = api.create(comment="a node", lifetime_seconds=600)
    same("type", (type(made), type(made.token_info)), (settings.CreateTokenResponse, settings.PublicTokenInfo))
    same("value", (type(made.token_value), made.token_value[:4]), (str, "dapi"))
    info = made.token_info
    same("comment", info.comment, "a node")
    same("lifetime", info.expiry_time - info.creation_time, 600_000)
    assert before <= info.creation_time <= time.time() * 1000, info
    unlimited = api.create().token_info
    same("lifetime where nobody says", unlimited.expiry_time - unlimited.creation_time, TWO_YEARS)
    same("no comment", unlimited.comment, None)

    node = holder(made.token_value)
    same("authentication", node.config.auth_type, "pat")
    same("its holder is served", node.clusters.get(CLUSTER).cluster_id, CLUSTER)
    same("its holder is its owner", list(node.tokens.list()), list(api.list()))
    # Who lists tokens has no token by that.
    raw = workspace.api_client.do("GET", "/api/2.0/token/list")
    members = {"token_id", "comment", "creation_time", "expiry_time"}
    same("members", {frozenset(one) for one in raw["token_infos"]}, {frozenset(members)})

    # What is over is refused, and is in no list.
    short = api.create(comment="short", lifetime_seconds=1)
    while time.time() * 1000 < short.token_info.expiry_time:
        time.sleep(0.05)
    invalid(short.token_value)
    same("valid ones", list(api.list()), [info, unlimited])
    absent = refused("RESOURCE_DOES_NOT_EXIST", lambda: api.delete(short.token_info.token_id))
    same("message", str(absent), f"No valid token with ID {short.token_info.token_id} found.")

    node.tokens.delete(info.token_id)
    invalid(made.token_value)
    refused("RESOURCE_DOES_NOT_EXIST", lambda: api.delete(info.token_id))
    same("valid ones", list(api.list()), [unlimited])
    invalid("dapi" + "0" * 32)
    for lifetime in [0, -1, "soon"]:
        refused("INVALID_PARAMETER_VALUE", lambda: api.create(lifetime_seconds=lifetime))
    api.delete(unlimited.token_id)
    print("left", api.create(comment="for another to find").token_info.token_id, flush=True)


def invalid(token):
    """403 with a number as its code: no list of error codes has it, so the SDK goes by the status."""
    try:
        answer = holder(token).clusters.get(CLUSTER)
    except DatabricksError as error:
        same("error", (type(error).__name__, error.error_code), ("PermissionDenied", 403))
        assert "Invalid access token." in str(error), error
    else:
        raise AssertionError(f"the token was accepted: {answer!r}")


def another(_):
    """Who is not the owner: neither tokens nor secrets are this one's."""
    workspace = client("another", "another-secret")
    same("tokens", list(workspace.tokens.list()), [])
    refused("RESOURCE_DOES_NOT_EXIST", lambda: workspace.tokens.delete(sys.argv[5]))
    refused("PERMISSION_DENIED", lambda: workspace.secrets.get_secret("longhorn", "client.secret_2"))
    refused("PERMISSION_DENIED", lambda: workspace.secrets.list_secrets("longhorn"))
