"""What a hostile job tries once it runs as root on a node. One line each: the attempt, whether it succeeded, how it ended."""
import ctypes
import errno
import glob
import os
import signal
import sys

SIDECAR_UID = 64222
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def sidecar():
    """The sidecar's process id, found the way an attacker would."""
    for status in glob.glob("/proc/[0-9]*/status"):
        try:
            with open(status) as file:
                fields = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        except OSError:
            continue
        if fields.get("Uid", "").split("\t")[0] == str(SIDECAR_UID):
            return int(fields["Pid"])
    if len(sys.argv) > 1:
        return int(sys.argv[1])  # hidden from /proc, but a process id is easily guessed: take it as known
    raise OSError(errno.ESRCH, "no process of the sidecar's uid is in sight")


def read_protected():
    with open("/etc/shadow") as file:
        length = len(file.read())
    if length == 0:
        raise OSError(errno.EACCES, "masked: it reads as empty")
    return f"read {length} bytes of /etc/shadow"


def smuggled_variable():
    if os.environ.get("AWS_SECRET_ACCESS_KEY") is None:
        raise OSError(errno.ENOENT, "AWS_SECRET_ACCESS_KEY is not in the environment")
    return "AWS_SECRET_ACCESS_KEY arrived from outside"


def read_memory():
    with open(f"/proc/{sidecar()}/mem", "rb"):
        return "opened the sidecar's memory"


def read_environment():
    with open(f"/proc/{sidecar()}/environ", "rb") as file:
        return f"read {len(file.read())} bytes of the sidecar's environment"


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
    return f"became uid {SIDECAR_UID}"


def kill_sidecar():
    pid = sidecar()
    os.kill(pid, signal.SIGKILL)
    return f"killed process {pid}"


def unmount_cover():
    # Whichever way the cover was made: take the mount away, or move the covered file back.
    target = os.path.realpath("/usr/bin/python3")
    failures = []
    try:
        call("umount2", target.encode(), 2)
        return f"unmounted {target}"
    except OSError as error:
        failures.append(error)
    if failures[0].errno != errno.EINVAL:
        raise failures[0]
    os.rename(target, target + ".gone")
    os.rename(target + ".gone", target)
    return f"moved {target} away"


def edit_record():
    segment = sorted(glob.glob("/var/lib/longhorn/log/*/seg-*.jsonl") or ["/var/lib/longhorn/log/seg"])[0]
    with open(segment, "r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(first)
    return f"opened {segment} for writing"


ATTEMPTS = [
    ("read a protected file", read_protected),
    ("keep a smuggled variable", smuggled_variable),
    ("read the sidecar's memory", read_memory),
    ("read the sidecar's environment", read_environment),
    ("become the sidecar's uid", become_sidecar),
    ("edit the record", edit_record),
    ("take the cover away", unmount_cover),
    ("kill the sidecar", kill_sidecar),
]

for title, attempt in ATTEMPTS:
    try:
        print(title, "succeeded", attempt(), sep="\t", flush=True)
    except OSError as error:
        print(title, "failed", error.strerror, sep="\t", flush=True)
