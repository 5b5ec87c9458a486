"""Secret scopes, secrets and their permissions."""

import base64
import time

from databricks.sdk.service import workspace as types

from steps.expect import refused, same


def secrets(workspace):
    api = workspace.secrets
    before = int(time.time() * 1000)
    same("no scope", list(api.list_scopes()), [])
    api.create_scope("longhorn")
    api.create_scope("shared", initial_manage_principal="users")
    scopes = [(type(one), one.name, one.backend_type) for one in api.list_scopes()]
    backend = types.ScopeBackendType.DATABRICKS
    same("scopes", scopes, [(types.SecretScope, "longhorn", backend), (types.SecretScope, "shared", backend)])
    same("message", str(refused("RESOURCE_ALREADY_EXISTS", lambda: api.create_scope("longhorn"))), "Scope longhorn already exists!")

    same("no secret", list(api.list_secrets("longhorn")), [])
    api.put_secret("longhorn", "node-key", string_value="first")
    api.put_secret("longhorn", "node-key", string_value="zw\u00f6lf")
    api.put_secret("longhorn", "client.secret_2", bytes_value=base64.b64encode(b"\x00\xff").decode())
    for key, value in [("node-key", "zw\u00f6lf".encode()), ("client.secret_2", b"\x00\xff")]:
        found = api.get_secret("longhorn", key)
        same("type", type(found), types.GetSecretResponse)
        same("secret", (found.key, base64.b64decode(found.value, validate=True)), (key, value))
    found = list(api.list_secrets("longhorn"))
    same("keys", [(type(one), one.key) for one in found], [(types.SecretMetadata, "client.secret_2"), (types.SecretMetadata, "node-key")])
    assert all(type(one.last_updated_timestamp) is int for one in found), found
    assert all(before <= one.last_updated_timestamp <= time.time() * 1000 for one in found), found
    # A list has no values: what it has beside these two, the types would not show.
    raw = workspace.api_client.do("GET", "/api/2.0/secrets/list", query={"scope": "longhorn"})
    same("members", {frozenset(one) for one in raw["secrets"]}, {frozenset({"key", "last_updated_timestamp"})})

    permissions(api)
    limits(api)
    absent = "RESOURCE_DOES_NOT_EXIST"
    api.delete_secret("longhorn", "node-key")
    refused(absent, lambda: api.get_secret("longhorn", "node-key"))
    refused(absent, lambda: api.delete_secret("longhorn", "node-key"))
    api.delete_scope("shared")
    for ask in [
        lambda: api.delete_scope("shared"),
        lambda: api.put_secret("shared", "key", string_value="x"),
        lambda: api.get_secret("shared", "key"),
        lambda: api.list_secrets("shared"),
        lambda: api.delete_secret("shared", "key"),
        lambda: api.put_acl("shared", "users", types.AclPermission.READ),
        lambda: api.list_acls("shared"),
        lambda: api.get_acl("shared", "users"),
        lambda: api.delete_acl("shared", "users"),
    ]:
        refused(absent, ask)
    # A new scope of an old name has nothing of the old one.
    api.create_scope("shared")
    same("no secret", list(api.list_secrets("shared")), [])


def permissions(api):
    may = types.AclPermission
    found = [(type(one), one.principal, one.permission) for one in api.list_acls("longhorn")]
    same("its maker manages it", found, [(types.AclItem, "agent", may.MANAGE)])
    same("everybody manages it", [(one.principal, one.permission) for one in api.list_acls("shared")], [("users", may.MANAGE)])
    api.put_acl("longhorn", "data-scientists", may.READ)
    api.put_acl("longhorn", "data-scientists", may.WRITE)
    found = api.get_acl("longhorn", "data-scientists")
    same("the later permission", (type(found), found.permission), (types.AclItem, may.WRITE))
    same("both", [one.principal for one in api.list_acls("longhorn")], ["agent", "data-scientists"])
    api.delete_acl("longhorn", "data-scientists")
    refused("RESOURCE_DOES_NOT_EXIST", lambda: api.get_acl("longhorn", "data-scientists"))
    refused("RESOURCE_DOES_NOT_EXIST", lambda: api.delete_acl("longhorn", "data-scientists"))
    # Who takes the permission from itself has none.
    api.create_scope("given-away")
    api.put_acl("given-away", "agent", may.READ)
    same("read", list(api.list_secrets("given-away")), [])
    refused("PERMISSION_DENIED", lambda: api.put_secret("given-away", "key", string_value="x"))
    refused("PERMISSION_DENIED", lambda: api.list_acls("given-away"))
    refused("PERMISSION_DENIED", lambda: api.delete_scope("given-away"))


def limits(api):
    """128 characters of few kinds, 128 KiB, 1000 secrets."""
    longest = "k" * 128
    api.put_secret("longhorn", longest, string_value="v" * 128 * 1024)
    same("longest", len(base64.b64decode(api.get_secret("longhorn", longest).value)), 128 * 1024)
    api.delete_secret("longhorn", longest)
    for code, asked in [
        ("INVALID_PARAMETER_VALUE", {"key": "key", "string_value": "v" * (128 * 1024 + 1)}),
        ("INVALID_PARAMETER_VALUE", {"key": longest + "k", "string_value": "v"}),
        ("INVALID_PARAMETER_VALUE", {"key": "", "string_value": "v"}),
        ("INVALID_PARAMETER_VALUE", {"key": "a key", "string_value": "v"}),
        ("MALFORMED_REQUEST", {"key": "key"}),
        ("MALFORMED_REQUEST", {"key": "key", "string_value": "v", "bytes_value": "dg=="}),
        ("MALFORMED_REQUEST", {"key": "key", "bytes_value": "no base64"}),
    ]:
        refused(code, lambda: api.put_secret("longhorn", **asked))
    for name in ["", "s" * 129, "a/scope"]:
        refused("INVALID_PARAMETER_VALUE", lambda: api.create_scope(name))
    refused("INVALID_PARAMETER_VALUE", lambda: api.create_scope("other", initial_manage_principal="ada@example.com"))
    refused("NOT_IMPLEMENTED", lambda: api.create_scope("other", scope_backend_type=types.ScopeBackendType.AZURE_KEYVAULT))
    api.create_scope("full")
    for number in range(1000):
        api.put_secret("full", f"key-{number}", string_value="v")
    refused("RESOURCE_LIMIT_EXCEEDED", lambda: api.put_secret("full", "key-1000", string_value="v"))
    api.put_secret("full", "key-999", string_value="another")
    same("count", len(list(api.list_secrets("full"))), 1000)
    api.delete_scope("full")
