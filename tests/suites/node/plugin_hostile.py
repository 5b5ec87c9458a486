"""plugin_hostile.py SITE: a job tries to change the plugin that it reads."""

import os
import sys

(SITE,) = sys.argv[1:]
PACKAGE = os.path.join(SITE, "longhorn_mlflow")
MODULE = os.path.join(PACKAGE, "__init__.py")
TRIES = {
    "write": lambda: open(MODULE, "a").close(),
    "truncate": lambda: os.truncate(MODULE, 0),
    "remove": lambda: os.remove(MODULE),
    "rename the module": lambda: os.rename(MODULE, MODULE + ".old"),
    "rename the package": lambda: os.rename(PACKAGE, PACKAGE + ".old"),
    "compile something else": lambda: os.mkdir(os.path.join(PACKAGE, "__pycache__")),
    "stand before it": lambda: open(os.path.join(SITE, "longhorn_mlflow.py"), "x").close(),
    "link": lambda: os.link(MODULE, os.path.join(PACKAGE, "again.py")),
}

assert "class RunContext" in open(MODULE).read()
for what, attempt in TRIES.items():
    try:
        attempt()
    except OSError as error:
        print(what, error.strerror)
    else:
        sys.exit("could " + what)
print("nothing could be changed")
