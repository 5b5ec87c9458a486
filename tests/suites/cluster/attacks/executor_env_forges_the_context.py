"""expect: stopped

The same with a variable of the context."""

APPLICATION = "configured"


def attempt(sc):
    import os

    found = everywhere(sc, lambda: os.environ.get("LONGHORN_ROLES"))
    return found if "admin" in found else None
