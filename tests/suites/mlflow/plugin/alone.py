"""alone.py TOKENS SCRATCH: the plugin by itself: old Pythons can read it, it brings nothing with it, nothing claims its module, and
an interrupt is the user's."""

import ast
import importlib.metadata
import os
import signal
import subprocess
import sys

import tokens

TOKENS, SCRATCH = sys.argv[1:]
FILE = os.path.join(SCRATCH, "context.jwt")
GROUPS = ("mlflow.run_context_provider", "mlflow.request_header_provider")


def modules(statement):
    code = "import sys; %s; print(' '.join(sorted(sys.modules)))" % statement
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def readable():
    import longhorn_mlflow

    with open(longhorn_mlflow.__file__, encoding="ascii") as file:
        ast.parse(file.read(), feature_version=(3, 8))


def light():
    brought = modules("import longhorn_mlflow") - modules("import os, stat, time")
    assert brought == {"longhorn_mlflow"}, brought


def found():
    points = [point for group in GROUPS for point in importlib.metadata.entry_points(group=group) if point.name == "longhorn"]
    assert len(points) == 2, points
    for point in points:
        assert point.load()().in_context() is False
        assert point.dist.files is None and point.dist.read_text("top_level.txt") is None
        assert point.dist.metadata["Name"] == "longhorn-mlflow"


def unclaimed():
    import importlib_metadata

    for library in (importlib.metadata, importlib_metadata):
        claimed = library.packages_distributions()
        assert "mlflow" in claimed and "longhorn_mlflow" not in claimed, claimed.get("longhorn_mlflow")


def interrupted():
    """A Ctrl-C at each line of the plugin, wherever it is at work, reaches the user and no later call is the worse for it."""
    plugin = tokens.plugin(FILE)
    honest = tokens.read(TOKENS, "context.jwt")
    wanted = tokens.tags(honest)
    descriptors = len(os.listdir("/proc/self/fd"))
    hit = 0
    while True:
        tokens.publish(FILE, honest)
        left = hit

        def at_line(frame, event, _):
            nonlocal left
            if frame.f_code.co_filename != plugin.__file__:
                return None
            if event == "line":
                if left == 0:
                    left = -1
                    os.kill(os.getpid(), signal.SIGINT)
                left -= left > 0
            return at_line

        sys.settrace(at_line)
        try:
            plugin.RunContext().tags()
            reached = False
        except KeyboardInterrupt:
            reached = True
        finally:
            sys.settrace(None)
        assert reached == (left == -1), (hit, reached, left)
        if not reached:
            break
        hit += 1
        context = plugin.RunContext()
        assert context.in_context() and context.tags() == wanted
    assert hit > 30, hit
    # One right behind the opening or before the closing leaves the file open, as in any Python.
    more = len(os.listdir("/proc/self/fd")) - descriptors
    assert more <= 3, more


for step in (readable, light, found, unclaimed, interrupted):
    step()
    print("ok", step.__name__, flush=True)
