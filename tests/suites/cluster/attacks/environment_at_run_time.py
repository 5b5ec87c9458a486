"""expect: stopped

A notebook sets a variable on its SparkContext: Spark starts a new daemon with it on every worker."""

APPLICATION = "plain"


def attempt(sc):
    import os

    sc.environment["SMUGGLED"] = "1"
    try:
        found = everywhere(sc, lambda: os.environ.get("SMUGGLED"))
    finally:
        del sc.environment["SMUGGLED"]
    return found if "1" in found else None
