"""Contexts for the plugin to read, and what it must make of them. TOKENS has those that a node key signed (tests/support/honest.rs)."""

import base64
import hashlib
import json
import os

HONEST = {
    "longhorn.subject": "spiffe://dbc-1.example.com/workspace/dbc-1.example.com/job/1/run/2",
    "longhorn.scope": "training",
    "longhorn.enforcement": "enforce",
    "longhorn.policy_digest": "d",
}


def read(directory, name):
    with open(os.path.join(directory, name), "rb") as file:
        return file.read().strip()


def part(token, number):
    text = token.split(b".")[number]
    return json.loads(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))


def rewritten(token, change):
    """The same token with other claims; whose signature it then has, the plugin does not judge."""
    header, _, signature = token.split(b".")
    claims = part(token, 1)
    claims = change(claims) or claims
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    return b".".join([header, payload, signature])


def tags(token, **other):
    """What a run must be tagged with."""
    wanted = dict(HONEST, **{"longhorn.node_key": part(token, 0)["kid"]})
    wanted["longhorn.context_digest"] = hashlib.sha256(token).hexdigest()
    if len(token) <= 4096:
        wanted["longhorn.context"] = token.decode()
    return dict(wanted, **other)


def publish(path, token):
    """As the keeper does: whole or not at all."""
    with open(path + ".new", "wb") as file:
        file.write(token)
    os.rename(path + ".new", path)


def plugin(path):
    """The plugin as it was placed, reading the context from here."""
    import longhorn_mlflow

    assert longhorn_mlflow.TOKEN == "/run/longhorn/context.jwt", longhorn_mlflow.TOKEN
    longhorn_mlflow.TOKEN = path
    return longhorn_mlflow
