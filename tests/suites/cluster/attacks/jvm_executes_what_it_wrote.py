"""expect: stopped by Permission denied

The job brings a program of its own and has the engine start it."""

APPLICATION = "plain"


def attempt(sc):
    import os
    import shutil

    shutil.copy("/usr/bin/env", "/local_disk0/program")
    os.chmod("/local_disk0/program", 0o755)
    return jvm_run(sc, ["/local_disk0/program"], {"SMUGGLED": "1"})
