"""expect: stopped

Options for every JVM that an executor's environment reaches, the executor's own first of all."""

APPLICATION = "configured"


def attempt(sc):
    import os

    def engine():
        # The worker's parent is the daemon, and its parent the executor.
        with open(f"/proc/{os.getppid()}/stat") as stat:
            daemon = stat.read().rsplit(")", 1)[1].split()
        with open(f"/proc/{daemon[1]}/environ", "rb") as environ:
            names = [entry.split(b"=")[0].decode() for entry in environ.read().split(b"\0")]
        return [name for name in names if name in ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS")]

    found = everywhere(sc, engine)
    return found if any(found) else None
