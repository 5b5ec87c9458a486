"""expect: open

A copy of the interpreter in a directory that must be executable, where notebooks have their environments: no cover stands in
front of it, so its variables are the job's own. It runs locked all the same, and file and socket tell the truth."""

APPLICATION = "plain"


def attempt(sc):
    import os
    import shutil
    import subprocess

    def start():
        place = "/local_disk0/.ephemeral_nfs/interpreter"
        if not os.path.exists(place):
            # What stands at the interpreter's own path may be a cover: a copy of that is one, too.
            shutil.copy("/proc/self/exe", place + ".new")
            os.chmod(place + ".new", 0o755)
            os.rename(place + ".new", place)
        program = "import os; print(os.environ.get('SMUGGLED'))"
        return subprocess.run([place, "-c", program], env={"SMUGGLED": "1"}, capture_output=True, text=True).stdout.strip()

    found = everywhere(sc, start)
    return found if "1" in found else None
