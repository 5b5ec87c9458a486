"""damaged.py TOKENS SCRATCH: for each damage a process of its own that imports MLflow, and asks it for tags and headers.

The row `none` is the honest one: it finds what the others must not. Nothing is printed that is not printed there, and a process
that waits is ended by its alarm. What MLflow itself imports is imported once, before the processes part."""

import importlib
import os
import signal
import socket
import sys
import traceback

import tokens

TOKENS, SCRATCH = sys.argv[1:]
HONEST = tokens.read(TOKENS, "context.jwt")
# Where the row that runs has its context; each has a directory of its own.
FILE = None


def holds(content):
    return lambda: tokens.publish(FILE, content)


def says(**claims):
    return holds(tokens.rewritten(HONEST, lambda old: old.update(claims)))


def lacks(name):
    return holds(tokens.rewritten(HONEST, lambda old: {key: value for key, value in old.items() if key != name}))


def payload(text):
    import base64

    header, _, signature = HONEST.split(b".")
    return holds(b".".join([header, base64.urlsafe_b64encode(text).rstrip(b"="), signature]))


def link(target):
    return lambda: os.symlink(target or FILE, FILE)


def linked():
    tokens.publish(FILE + ".real", HONEST)
    os.symlink(FILE + ".real", FILE)


def closed(path):
    """Nothing is closed to root: the process goes on as nobody, once it has MLflow."""

    def close():
        tokens.publish(FILE, HONEST)
        os.chmod(path(), 0)

    return close


def listening():
    here = os.getcwd()
    os.chdir(os.path.dirname(FILE))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.basename(FILE))
    os.chdir(here)


ROWS = {
    "none": holds(HONEST),
    "absent": lambda: None,
    "its-directory-is-absent": lambda: os.rmdir(os.path.dirname(FILE)),
    "unreadable": closed(lambda: FILE),
    "its-directory-cannot-be-entered": closed(lambda: os.path.dirname(FILE)),
    "a-directory": lambda: os.mkdir(FILE),
    "a-fifo": lambda: os.mkfifo(FILE),
    "a-socket": listening,
    "a-device-without-end": link("/dev/zero"),
    "a-link": linked,
    "a-link-to-itself": link(None),
    "a-link-to-nowhere": link("/nowhere"),
    "empty": holds(b""),
    "huge": holds(b"a" * (8 << 20)),
    "its-payload-too-long": says(jti="j" * 65536),
    "one-byte-too-long": holds(HONEST + b"A" * (65537 - len(HONEST))),
    "not-text": holds(b"\xff\xfe" * 100),
    "not-ascii": holds("ä.ö.ü".encode()),
    "with-a-line-end": holds(HONEST + b"\n"),
    "with-a-line-end-inside": holds(HONEST.replace(b".", b".\r\nX-Other: 1\r\n", 1)),
    "cut": holds(HONEST[: len(HONEST) // 2]),
    "two-parts": holds(HONEST.rsplit(b".", 1)[0]),
    "four-parts": holds(HONEST + b".more"),
    "empty-parts": holds(b".."),
    "not-base64": holds(b"a.%%%.b"),
    "payload-of-no-text": payload(b"\xff\xfe\x00"),
    "payload-of-no-json": payload(b"longhorn"),
    "payload-of-a-list": payload(b"[1, 2]"),
    "payload-without-end": payload(b"[" * 40000),
    "payload-of-a-long-number": payload(b'{"exp": ' + b"9" * 40000 + b"}"),
    "without-an-end": lacks("exp"),
    "without-a-subject": lacks("sub"),
    "without-a-policy": lacks("policy"),
    "the-end-is-no-number": says(exp="soon"),
    "the-end-is-nothing": says(exp=None),
    "ended": holds(tokens.read(TOKENS, "ended.jwt")),
    "subject-is-a-number": says(sub=7),
    "subject-is-nothing": says(sub=None),
    "subject-is-a-list": says(sub=["a"]),
    "subject-has-a-line-end": says(sub="a\r\nX-Other: 1"),
    "subject-cannot-be-encoded": says(sub="\ud800"),
    "subject-is-empty": says(sub=""),
    "subject-is-too-long": says(sub="a" * 1025),
    "policy-is-text": says(policy="d"),
    "node-has-no-key": says(node={}),
}

CLOSED = {"unreadable", "its-directory-cannot-be-entered"}


def row(name):
    """In a process of its own."""
    signal.alarm(60)
    ROWS[name]()
    tokens.plugin(FILE)
    assert "mlflow" not in sys.modules
    import mlflow
    from mlflow.tracking.context.registry import resolve_tags
    from mlflow.tracking.request_header.registry import resolve_request_headers

    assert mlflow.start_run
    if name in CLOSED and os.geteuid() == 0:
        os.setuid(65534)
    assert name not in CLOSED or not os.access(FILE, os.R_OK)
    for _ in range(2):
        tags = {tag: value for tag, value in resolve_tags().items() if tag.startswith("longhorn")}
        headers = {header: value for header, value in resolve_request_headers().items() if header.startswith("X-Longhorn")}
        if name == "none":
            assert tags == tokens.tags(HONEST) and headers == {"X-Longhorn-Context": HONEST.decode()}, (tags, headers)
        else:
            assert tags == {} and headers == {}, (tags, headers)


def apart(work, said):
    """Runs it in a process of its own; returns how that ended, and what it printed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            to = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(to, 1)
            os.dup2(to, 2)
            work()
            sys.stdout.flush()
            status = 0
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(status)
    status = os.waitpid(child, 0)[1]
    with open(said, encoding="utf-8") as file:
        return status, file.read()


def preload():
    """What `import mlflow` brings with it, but for MLflow itself and the plugin."""

    def show():
        import mlflow.tracking

        print("\n".join(sorted(sys.modules)))

    status, names = apart(show, os.path.join(SCRATCH, "modules"))
    assert status == 0, names
    for name in names.split("\n"):
        if name.split(".")[0] not in ("mlflow", "longhorn_mlflow", "__main__", ""):
            try:
                importlib.import_module(name)
            except ImportError:
                pass


def main():
    global FILE
    preload()
    quiet = None
    for name in ROWS:
        place = os.path.join(SCRATCH, name)
        os.mkdir(place, 0o755)
        FILE = os.path.join(place, "context.jwt")
        status, said = apart(lambda: row(name), os.path.join(SCRATCH, name + ".said"))
        assert status == 0, (name, status, said)
        quiet = said if name == "none" else quiet
        assert said == quiet, (name, said, quiet)
        print("ok", name, flush=True)


main()
