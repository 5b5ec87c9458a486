"""expect: stopped by Permission denied

A variable of the cluster names the interpreter (PYSPARK_PYTHON), for the driver as well."""

APPLICATION = "variable"


def attempt(sc):
    import os

    return os.environ.get("SMUGGLED")
