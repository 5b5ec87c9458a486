# The agent's secrets stay its own: where the policy grants the very directory of their files, and against the sidecar's uid.
. /mnt/host/code/prelude.sh
lock > /dev/null
real=$(echo /var/lib/longhorn/real/1/bin/python3.*[0-9])
cat > /local_disk0/look.py <<'P'
import os
assert os.getuid() == 0 and "neighbour" in os.listdir("/mnt/host/secrets"), "the directory is not in sight: nothing was tested"
for path in ["", "/proc/self/root", "/proc/self/cwd/.."]:
    with open(path + "/mnt/host/secrets/neighbour") as file:
        assert file.read() == "not a secret\n"
    for name in ["workspace", "token"]:
        path_of_one = f"{path}/mnt/host/secrets/{name}"
        try:
            with open(path_of_one, "rb") as file:
                assert file.read() == b"", f"{path_of_one} was read"
        except OSError:
            pass
        for attempt in (os.unlink, lambda one: os.rename(one, one + ".moved"), lambda one: os.link(one, "/local_disk0/linked")):
            try:
                attempt(path_of_one)
                raise SystemExit(f"{path_of_one} was uncovered")
            except OSError:
                pass
print("kept")
P
cd /local_disk0
for secret in workspace token; do
  [ -s /mnt/host/secrets/$secret ] || fail "there is no secret: nothing was tested"
done
expect 0 '^kept$' $python /local_disk0/look.py
cat > /tmp/probe.py <<'P'
"""What a process of the sidecar's uid sees of it; of a child of its own it sees all of that."""
import ctypes
import errno
import os
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)


def read(name):
    def attempt(pid):
        with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
            if name == "mem":
                return
            assert file.read(64)
    return attempt


def seize(pid):
    if libc.ptrace(0x4206, pid, None, None) == -1:  # PTRACE_SEIZE
        raise OSError(ctypes.get_errno(), "ptrace")


attempts = {name: read(name) for name in ["environ", "mem", "maps", "auxv"]}
attempts["fd"] = lambda pid: os.listdir(f"/proc/{pid}/fd")
attempts["cwd"] = lambda pid: os.readlink(f"/proc/{pid}/cwd")
attempts["ptrace"] = seize
child = os.fork()
if child == 0:
    time.sleep(60)
assert os.getuid() == 64222
for name, attempt in attempts.items():
    attempt(child)
    try:
        attempt(int(sys.argv[1]))
        print("open:", name)
    except OSError as error:
        assert error.errno in (errno.EACCES, errno.EPERM), (name, error)
        print("denied:", name)
os.kill(child, 9)
P
expect 0 '' setpriv --reuid 64222 --regid 64222 --clear-groups env A_VARIABLE=of-some-length "$real" /tmp/probe.py "$(sidecar)"
[ "$(grep -c '^denied: ' /tmp/out)" = 7 ] || fail "the sidecar's uid sees the sidecar: $(cat /tmp/out)"
# Not even root sees a secret among its variables.
! tr '\0' '\n' < "/proc/$(sidecar)/environ" | grep -v '^DB_' | grep . || fail "the sidecar was given more than hints"
