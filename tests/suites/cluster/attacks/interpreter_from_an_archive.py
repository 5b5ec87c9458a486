"""expect: stopped by Permission denied

An archive brings an interpreter of its own, which Spark unpacks beside every task (spark.archives), and the job names it."""

APPLICATION = "interpreter"


def attempt(sc):
    import os
    import sys

    sc.pythonExec = "./env/bin/python"
    found = everywhere(sc, lambda: (sys.executable, os.environ.get("SMUGGLED")))
    return found if any("/env/bin/python" in executable for executable, _ in found) else None
