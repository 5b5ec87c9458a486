"""expect: stopped by locked

Code of the job's own as the daemon of every worker (spark.python.daemon.module): it runs, but is it free?"""

APPLICATION = "configured"


def attempt(sc):
    import os

    def marks():
        with open("/proc/self/status") as status:
            marks = dict(line.split(":\t", 1) for line in status if ":\t" in line)
        return os.environ.get("DAEMON"), marks["NoNewPrivs"].strip(), marks["Seccomp"].strip()

    found = everywhere(sc, marks)
    assert {daemon for daemon, _, _ in found} == {"the job's own"}, found
    if {rest for _, *rest in map(list, found) for rest in rest} == {"0"}:
        return found
    raise OSError(f"locked: {found}")
