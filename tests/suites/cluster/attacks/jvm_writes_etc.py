"""expect: stopped by Permission denied|Read-only file system

Scala cells, `%sh` and py4j start programs from the engine's own process, past every interpreter."""

APPLICATION = "plain"


def attempt(sc):
    said = jvm_run(sc, ["sh", "-c", "echo mine > /etc/attack && cat /etc/attack"])
    if said == "mine\n":
        return said
    raise OSError(said)
