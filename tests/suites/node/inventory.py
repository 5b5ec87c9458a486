"""Plants, on a node that is not locked yet, one of everything that the inventory lists, prints what must stand in the record as
JSON, closes its stdout, and stays until it is killed."""
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys

expected = {name: [] for name in ("processes", "listeners", "units", "cron", "init_scripts")}


def sha256(path):
    with open(path, "rb") as file:
        return "sha256 " + hashlib.sha256(file.read()).hexdigest()


def plant(field, path, text=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text or f"# {path}\n")
    expected[field].append(f"{path} {sha256(path)}")


def link(field, path, target, said):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(target, path)
    expected[field].append(f"{path} -> {target} {said}")


def units():
    plant("units", "/etc/systemd/system/planted.service")
    plant("units", "/etc/systemd/system/planted.timer")
    plant("units", "/etc/systemd/system/planted.service.d/drop-in.conf")
    plant("units", "/run/systemd/system/now.service")
    plant("units", "/run/systemd/transient/run-u1.scope")
    plant("units", "/usr/local/lib/systemd/system/local.service")
    plant("units", "/etc/monit/conf.d/planted")
    unit = "/usr/lib/systemd/system/packaged.service"
    with open(unit, "w") as file:
        file.write("[Service]\nExecStart=/bin/true\n")
    # A unit of a package counts where something pulls it in, and only there.
    link("units", "/etc/systemd/system/multi-user.target.wants/packaged.service", unit, sha256(unit))
    link("units", "/usr/lib/systemd/system/timers.target.wants/packaged.service", "../packaged.service", sha256(unit))
    link("units", "/etc/systemd/system/masked.service", "/dev/null", "not read: a device")


def cron():
    for place in ["crontab", "anacrontab", "cron.d/planted", *(f"cron.{often}/planted" for often in
                                                              ["hourly", "daily", "weekly", "monthly"])]:
        plant("cron", f"/etc/{place}")
    plant("cron", "/var/spool/cron/crontabs/root", "* * * * * TOKEN=s3cret-in-a-table /bin/true\n")
    plant("cron", "/var/spool/cron/atjobs/a00001")


def init_scripts():
    plant("init_scripts", "/databricks/init_scripts/1700_00_other.sh.stdout.log", "s3cret-in-a-log\n")
    plant("init_scripts", "/databricks/init/legacy.sh")
    plant("init_scripts", "/databricks/init/cluster/legacy.sh")
    plant("init_scripts", "/etc/init.d/planted")
    plant("init_scripts", "/etc/rc.local")


def listeners():
    """Returns what must stay open."""
    open_sockets = []
    for word, kind in [("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)]:
        for family, address, shown in [(socket.AF_INET, "127.0.0.1", "127.0.0.1"), (socket.AF_INET6, "::1", "[::1]")]:
            bound = socket.socket(family, kind)
            try:
                bound.bind((address, 0))
            except OSError:
                # A machine may have no IPv6.
                assert family == socket.AF_INET6
                continue
            if word == "tcp":
                bound.listen()
            open_sockets.append(bound)
            expected["listeners"].append(f"{word} {shown}:{bound.getsockname()[1]} uid 0")
    for name, kind in [("stream", socket.SOCK_STREAM), ("datagram", socket.SOCK_DGRAM)]:
        bound = socket.socket(socket.AF_UNIX, kind)
        bound.bind(f"/local_disk0/{name}")
        if kind == socket.SOCK_STREAM:
            bound.listen()
        open_sockets.append(bound)
        expected["listeners"].append(f"unix /local_disk0/{name}")
    return open_sockets


def processes():
    program = "/local_disk0/planted"
    shutil.copy(os.path.realpath("/usr/bin/sleep"), program)
    expected["processes"].append(f"planted {program} {sha256(program)}")
    subprocess.Popen([program, "600"])
    # An argument may be a secret.
    subprocess.Popen(["/bin/sh", "-c", "sleep 600; : s3cret-argument"])
    # Deleted since, and running.
    gone = "/local_disk0/gone"
    shutil.copy(program, gone)
    subprocess.Popen([gone, "600"])
    expected["processes"].append(f"gone {gone} (deleted) {sha256(gone)}")
    os.unlink(gone)
    # Too large to be read at a start.
    large = "/local_disk0/large"
    shutil.copy(program, large)
    os.truncate(large, 9 * 1024 * 1024)
    subprocess.Popen([large, "600"])
    expected["processes"].append(f"large {large} not read: 9437184 bytes")


def traps():
    """What must not be waited for, and not be read."""
    os.mkfifo("/etc/cron.d/fifo")
    expected["cron"].append("/etc/cron.d/fifo not read: a FIFO")
    with open("/etc/systemd/system/huge.service", "w") as file:
        file.truncate(1 << 40)
    expected["units"].append("/etc/systemd/system/huge.service not read: 1099511627776 bytes")
    hung = sys.argv[1]
    link("init_scripts", "/databricks/init_scripts/hung.sh", f"{hung}/hung.sh", "not read: on a foreign file system")


units(), cron(), init_scripts(), processes(), traps()
kept = listeners()
print(json.dumps(expected), flush=True)
os.close(1)
os.open("/dev/null", os.O_WRONLY)
signal.pause()
