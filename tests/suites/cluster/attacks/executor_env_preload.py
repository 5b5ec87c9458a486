"""expect: stopped

The same with a library for the dynamic loader."""

APPLICATION = "configured"


def attempt(sc):
    import os

    found = everywhere(sc, lambda: os.environ.get("LD_PRELOAD"))
    return found if "/local_disk0/hook.so" in found else None
