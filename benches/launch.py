"""Runs on a node. Prints `NAME VALUE` for every figure; launches are interleaved, and a figure is the median of the pairwise
differences to a bare launch, as a ratio of what bubblewrap adds in the same rounds."""
import glob
import itertools
import os
import statistics
import subprocess
import sys
import time

INIT = ["/mnt/host/bundle/longhorn", "init", "--settings", "/mnt/host/bundle/longhorn.toml"]
COVERED = os.path.realpath("/usr/bin/python3")
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 240


def launch(argv):
    began = time.perf_counter_ns()
    process = os.posix_spawn(argv[0], argv, ENVIRONMENT)
    _, status = os.waitpid(process, 0)
    assert status == 0, argv
    return time.perf_counter_ns() - began


def added(cases):
    """Median added time of each case over `bare`, in nanoseconds."""
    took = {name: [] for name in cases}
    # Every order equally often: the kernel takes down one launch's namespaces while the next one runs.
    for order in itertools.islice(itertools.cycle(itertools.permutations(cases)), ROUNDS):
        for name in order:
            took[name].append(launch(cases[name]))
    return {
        name: statistics.median(one - bare for one, bare in zip(took[name], took["bare"])) for name in cases if name != "bare"
    }


def program(real):
    return [real, "-c", "pass"]


def bubblewrap(real):
    return ["/usr/bin/bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", *program(real)]


def lock(prefix=()):
    process = subprocess.Popen([*prefix, *INIT], stdout=subprocess.DEVNULL, stderr=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, "init failed"
    return usage.ru_utime + usage.ru_stime


def processes():
    """Keeper and sidecar."""
    for path in glob.glob("/proc/[0-9]*/exe"):
        try:
            if os.readlink(path) == "/opt/longhorn/bin/longhorn":
                yield os.path.dirname(path)
        except OSError:
            pass


def used(process):
    """CPU seconds of all threads (Documentation/scheduler/sched-stats.rst: nanoseconds on the processor)."""
    return sum(int(open(task).read().split()[0]) for task in glob.glob(process + "/task/*/schedstat")) / 1e9


def resident(process):
    line = next(line for line in open(process + "/status") if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def nested():
    """Inside a locked tree, told how much bubblewrap adds outside."""
    bare = sys.argv[3]
    print(added({"bare": program(bare), "covered": program(COVERED)})["covered"])


def main():
    cpu = lock() + sum(used(process) for process in processes())
    print("init-cpu-milliseconds", 1000 * cpu)
    time.sleep(3)
    found = list(processes())
    assert len(found) == 2, found
    print("rest-mebibytes", sum(resident(process) for process in found))
    # Launches, bare ones too, go before the machine's other work (sched(7)); keeper and sidecar stay ordinary processes.
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    real = glob.glob("/var/lib/longhorn/real/1/bin/" + os.path.basename(COVERED))[0]
    times = added({"bare": program(real), "bubblewrap": bubblewrap(real), "covered": program(COVERED)})
    print("launch-root-to-bubblewrap", times["covered"] / times["bubblewrap"])
    inner = subprocess.run([COVERED, __file__, "nested", str(ROUNDS), real], capture_output=True, text=True)
    assert inner.returncode == 0, inner.stderr
    print("launch-nested-to-bubblewrap", float(inner.stdout) / times["bubblewrap"])
    subprocess.run(["/opt/longhorn/bin/longhorn", "uninstall"], check=True)
    for file in glob.glob("/mnt/host/published/*"):
        os.unlink(file)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    # Without the private mount namespace: a node without CAP_SYS_ADMIN, covered by rename.
    lock(["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"])
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    real = os.path.join(os.path.dirname(COVERED), ".longhorn." + os.path.basename(COVERED))
    times = added({"bare": program(real), "bubblewrap": bubblewrap(real), "covered": program(COVERED)})
    print("launch-without-namespace-to-bubblewrap", times["covered"] / times["bubblewrap"])


nested() if sys.argv[1:2] == ["nested"] else main()
