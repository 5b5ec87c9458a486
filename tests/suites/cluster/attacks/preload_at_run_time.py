"""expect: stopped

The same with a library for the dynamic loader, which would run before the interpreter's first instruction."""

APPLICATION = "plain"


def attempt(sc):
    import os

    sc.environment["LD_PRELOAD"] = "/local_disk0/hook.so"
    try:
        found = everywhere(sc, lambda: os.environ.get("LD_PRELOAD"))
    finally:
        del sc.environment["LD_PRELOAD"]
    return found if "/local_disk0/hook.so" in found else None
