"""expect: stopped by Permission denied

A notebook names another interpreter for the workers: a script that sets a variable and then becomes the real one. The
script is left on every node for the attacks that name it when an application starts."""

APPLICATION = "plain"


def attempt(sc):
    import os

    script = "#!/bin/sh\nSMUGGLED=1 exec /databricks/python/bin/python \"$@\"\n"

    def leave():
        with open("/local_disk0/interpreter", "w") as file:
            file.write(script)
            os.fchmod(file.fileno(), 0o755)

    leave()
    everywhere(sc, leave)
    before, sc.pythonExec = sc.pythonExec, "/local_disk0/interpreter"
    try:
        found = everywhere(sc, lambda: os.environ.get("SMUGGLED"))
    finally:
        sc.pythonExec = before
    return found if "1" in found else None
