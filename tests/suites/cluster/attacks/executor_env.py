"""expect: stopped

A variable for executors, in the cluster's or the job's own Spark configuration."""

APPLICATION = "configured"


def attempt(sc):
    import os

    found = everywhere(sc, lambda: os.environ.get("SMUGGLED"))
    return found if "1" in found else None
