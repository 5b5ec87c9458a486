"""expect: open

The same daemon rewrites the variables of its own process, and of every worker that it forks. No start of a program is
involved, so nothing can stand in between: the files and the socket are the authority, and variables a convenience."""

APPLICATION = "configured"


def attempt(sc):
    import os

    found = everywhere(sc, lambda: os.environ.get("LONGHORN_SCOPE"))
    return found if "admin" in found else None
