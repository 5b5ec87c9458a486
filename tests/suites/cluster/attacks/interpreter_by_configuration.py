"""expect: stopped by Permission denied

The configuration names another interpreter for the workers (spark.pyspark.python)."""

APPLICATION = "interpreter"


def attempt(sc):
    import os

    found = everywhere(sc, lambda: os.environ.get("SMUGGLED"))
    return found if "1" in found else None
