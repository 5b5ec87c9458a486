"""expect: stopped

The same with a variable of the context: the job gives itself another scope."""

APPLICATION = "plain"


def attempt(sc):
    import os

    sc.environment["LONGHORN_SCOPE"] = "admin"
    try:
        found = everywhere(sc, lambda: os.environ.get("LONGHORN_SCOPE"))
    finally:
        del sc.environment["LONGHORN_SCOPE"]
    return found if "admin" in found else None
