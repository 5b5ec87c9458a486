"""Longhorn's plugin for MLflow: says with each run and each request which attested job they belong to.

A convenience and no boundary: whoever runs code here can skip it or overwrite what it says. What is true is the signed token;
the gateway and every verifier go by that. `init` placed this file and `uninstall` removes it.

It promises that MLflow works as if it was not there: nothing is raised, printed or waited for, whatever became of Longhorn.
Without a token that is whole and runs there are no tags and no header. Python 3.8 and later; MLflow is not imported.
"""

import os
import stat
import time

# The context as this node's keeper publishes it. A file at a place that only root can write to, and never a variable: variables
# can be rewritten after the start (a daemon module of Spark's does).
TOKEN = "/run/longhorn/context.jwt"
# Where the gateway listens, besides its port.
SOCKET = "/run/longhorn/sock/mlflow"
# What carries the token: tags and proxies have limits of their own, the smallest of which is not far above.
CARRIED = 4096
# No token is longer (context/seal.rs).
MOST = 65536
# A value that is longer is none of ours.
VALUE = 1024

HEADER = "X-Longhorn-Context"

# The file that was read last, and what it says.
_last = (None, None)
# Whether the way to the socket was looked for.
_opened = False


class _Said:
    """What one token says."""

    def __init__(self, token):
        import base64
        import hashlib
        import json

        parts = token.decode("ascii").split(".")
        if len(parts) != 3 or not all(_plain(part) for part in parts):
            raise ValueError("not a token")
        payload = parts[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode("utf-8"))
        digest = hashlib.sha256(token).hexdigest()
        carried = len(token) <= CARRIED
        self.until = float(claims["exp"])
        self.header = token.decode("ascii") if carried else "sha256:" + digest
        self.tags = {
            "longhorn.subject": _text(claims["sub"]),
            "longhorn.scope": _text(claims["scope"]),
            "longhorn.enforcement": _text(claims["enforcement"]),
            "longhorn.policy_digest": _text(claims["policy"]["digest"]),
            "longhorn.node_key": _text(claims["node"]["key"]),
            "longhorn.context_digest": digest,
        }
        if carried:
            self.tags["longhorn.context"] = self.header


def _plain(part):
    """Base64url, and so fit for a header."""
    return bool(part) and all(letter.isalnum() or letter in "-_" for letter in part)


def _text(value):
    """MLflow fails where a value is not text, and its transport where it cannot be encoded or has a line end."""
    if isinstance(value, str) and 0 < len(value) <= VALUE and value.isprintable():
        return value
    raise ValueError("not text")


def _mark(found):
    return (found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns)


def _said():
    """What the token says now, or None. Exceptions that are no errors, as KeyboardInterrupt, are the user's and pass."""
    global _last
    try:
        mark, said = _last
        if _mark(os.lstat(TOKEN)) != mark:
            mark, said = _last = _read()
        return said if time.time() < said.until else None
    except Exception:
        return None


def _read():
    # Without waiting: a FIFO that nobody writes to must not stop the job. Opened first, then looked at.
    file = os.open(TOKEN, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("not a token")
        token = b""
        while len(token) <= MOST:
            piece = os.read(file, MOST + 1 - len(token))
            if not piece:
                return _mark(found), _Said(token)
            token += piece
        raise ValueError("not a token")
    finally:
        os.close(file)


class _Provider:
    """Where two directories of the search path have this plugin, older Pythons register it twice, and MLflow would send the
    header's value twice: the one that was made last speaks."""

    _speaks = None

    def __init__(self):
        type(self)._speaks = self

    def in_context(self):
        return type(self)._speaks is self and _said() is not None


class RunContext(_Provider):
    """`mlflow.run_context_provider`: tags of each run that starts."""

    def tags(self):
        said = _said()
        return {} if said is None else dict(said.tags)


def _open_socket():
    """Once, where this node has the gateway's socket: by then MLflow has what it sends requests with."""
    global _opened
    if _opened:
        return
    try:
        if stat.S_ISSOCK(os.stat(SOCKET).st_mode):
            from . import _socket

            _socket.mount()
    except Exception:
        # Without it that name is nobody's, and MLflow says so.
        pass
    _opened = True


class RequestHeaders(_Provider):
    """`mlflow.request_header_provider`: the header of each request."""

    def in_context(self):
        # MLflow asks before each request.
        _open_socket()
        return super().in_context()

    def request_headers(self):
        said = _said()
        return {} if said is None else {HEADER: said.header}
