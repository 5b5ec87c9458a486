"""What a hostile program tries. `attempts.py node PID`: as root on a node whose sidecar is process PID. `attempts.py here PID
STAGE WORK`: as a normal user, beside a process PID of the same user; STAGE lies outside of the policy, WORK inside.
Prints a line for each attempt: its title, whether it succeeded, how it ended, and which way a lock would have to leave open
for it to succeed."""
import ctypes
import errno
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys

SIDECAR_UID = 64222
SECRET = b"agent-secret"
libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    if not data:
        raise OSError(errno.ENODATA, "it reads as empty")
    return f"{len(data)} bytes of {os.path.basename(path)}"


def smuggled_variable():
    if "AWS_SECRET_ACCESS_KEY" not in os.environ:
        raise OSError(errno.ENOENT, "it did not arrive")
    return "AWS_SECRET_ACCESS_KEY arrived"


def other():
    """The process to attack; the sidecar is found the way an attacker would, and taken as known where it is hidden."""
    for status in glob.glob("/proc/[0-9]*/status") if sys.argv[1] == "node" else []:
        try:
            with open(status) as file:
                if f"\nUid:\t{SIDECAR_UID}\t" in file.read():
                    return int(status.split("/")[2])
        except OSError:
            continue
    return int(sys.argv[2])


def about(pid, name):
    try:
        return open(f"/proc/{pid}/{name}", "rb", buffering=0)
    except FileNotFoundError:
        raise OSError(errno.ESRCH, "no such process in sight") from None


def read_memory():
    pid = other()
    with about(pid, "maps") as maps, about(pid, "mem") as memory:
        for line in maps:
            span, mode = line.split()[:2]
            if not mode.startswith(b"rw"):
                continue
            start, end = (int(part, 16) for part in span.split(b"-"))
            try:
                if SECRET in os.pread(memory.fileno(), end - start, start):
                    return f"a secret of process {pid}"
            except OSError:
                continue
    raise OSError(errno.ENODATA, "no secret in its memory")


def read_environment():
    pid = other()
    with about(pid, "environ") as file:
        return f"{file.read().count(0)} variables of process {pid}"


def become_sidecar():
    child = os.fork()
    if child == 0:
        try:
            os.setresuid(SIDECAR_UID, SIDECAR_UID, SIDECAR_UID)
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        raise OSError(code, os.strerror(code))
    return f"uid {SIDECAR_UID}"


def kill():
    pid = other()
    os.kill(pid, signal.SIGKILL)
    return f"SIGKILL to process {pid}"


def take_cover_away():
    # Whichever way the cover was made: take the mount away, or move the covered file back.
    target = os.path.realpath("/usr/bin/python3")
    try:
        check(libc.umount2(target.encode(), 2))
        return f"unmounted {target}"
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    os.rename(target, target + ".gone")
    os.rename(target + ".gone", target)
    return f"moved {target}"


def edit_record():
    segment = sorted(glob.glob("/var/lib/longhorn/log/*/seg-*.jsonl") or ["/var/lib/longhorn/log/seg"])[-1]
    with open(segment, "r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(first)
    return "wrote into its newest segment"


def write_outside():
    with open(sys.argv[3] + "/planted", "w") as file:
        file.write("planted")
    return "planted a file"


def run_dropped():
    program = sys.argv[4] + "/dropped"
    shutil.copy("/bin/true", program)
    subprocess.run([program], check=True)
    return "it ran"


def trace():
    pid = int(sys.argv[2])
    attach, detach = 16, 17
    check(libc.ptrace(attach, pid, None, None))
    os.waitpid(pid, 0x40000000)
    libc.ptrace(detach, pid, None, None)
    return f"attached to process {pid}"


def reach_deputy():
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"\0longhorn-demo-{sys.argv[2]}")
        return f"it answered {len(connection.recv(100))} bytes"


def own_namespaces():
    new_user = 0x10000000
    check(libc.unshare(new_user))
    return "root of its own namespace"


NODE = [
    ("read a protected file", lambda: read("/etc/shadow"), "files"),
    ("read the agent's credential", lambda: read("/mnt/host/secrets/workspace"), "files"),
    ("keep a smuggled variable", smuggled_variable, "variables"),
    ("read the sidecar's memory", read_memory, "files"),
    ("read the sidecar's environment", read_environment, "files"),
    ("become the sidecar's uid", become_sidecar, "capabilities"),
    ("edit the record", edit_record, "files"),
    ("unmount the cover", take_cover_away, "capabilities"),
    ("kill the sidecar", kill, "signals"),
]
HERE = [
    ("write outside of the policy", write_outside, "files"),
    ("read a protected file", lambda: read(sys.argv[3] + "/.databrickscfg"), "files"),
    ("run a program that it dropped", run_dropped, "files"),
    ("keep a smuggled variable", smuggled_variable, "variables"),
    ("read another process's memory", read_memory, "files"),
    ("read another's environment", read_environment, "files"),
    ("trace another process", trace, "system-calls"),
    ("ask a deputy on a socket", reach_deputy, "abstract-sockets"),
    ("make namespaces of its own", own_namespaces, "system-calls"),
    ("kill another process", kill, "signals"),
]

for title, attempt, way in NODE if sys.argv[1] == "node" else HERE:
    try:
        print(title, "succeeded", attempt(), way, sep="\t", flush=True)
    except OSError as error:
        print(title, "failed", error.strerror, way, sep="\t", flush=True)
