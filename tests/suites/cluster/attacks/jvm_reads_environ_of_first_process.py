"""expect: stopped by Permission denied|No such file

The engine's children look for the platform's own variables."""

APPLICATION = "plain"


def attempt(sc):
    said = jvm_run(sc, ["sh", "-c", "tr '\\0' '\\n' < /proc/1/environ"])
    if "=" in said:
        return sorted(line.split("=")[0] for line in said.splitlines())
    raise OSError(said)
