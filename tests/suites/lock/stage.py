"""Runs every attack on a node twice, as root: without a lock, and under `longhorn try`. Prints a line for each:
`NAME unlocked|locked VICTIM OUTCOME`, where VICTIM says whether the process outside still lives."""
import os
import shutil
import subprocess
import sys
import time

SHARE = "/mnt/host"
HERE = os.path.dirname(os.path.abspath(__file__))
ATTACKS = SHARE + "/attacks"
sys.path.insert(0, ATTACKS)
from attempt import PROTECTED, SECRET, SECRET_TEXT, WORK  # noqa: E402

LOCK = [SHARE + "/longhorn", "try", "--policy", HERE + "/policy.toml", "--environment", "attacked", "--"]
UID = "64222"
PYTHON = "/usr/bin/python3"


def prepare():
    for name in os.listdir(PROTECTED):
        subprocess.run(["rm", "-rf", f"{PROTECTED}/{name}"], check=True)
    os.mkdir(PROTECTED + "/directory")
    with open(SECRET, "wb") as file:
        file.write(SECRET_TEXT)
    os.chmod(SECRET, 0o600)
    shutil.copy("/bin/true", PROTECTED + "/program")
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)


def start_victim(python):
    environment = dict(os.environ, ATTACK_VICTIM="attack-secret")
    process = subprocess.Popen(
        [python, HERE + "/victim.py", ATTACKS],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True,
    )
    return process, process.stdout.readline().split()


def attempt(name, how, lock=(), outside=PYTHON):
    """One attack by a job under `lock`, or as whatever covers the interpreter starts it; the victim runs outside of it."""
    prepare()
    process, (port, address, descriptor) = start_victim(outside)
    secret = os.open(SECRET, os.O_RDONLY)
    os.dup2(secret, 9)
    command = [*lock, PYTHON, "-B", f"{ATTACKS}/{name}.py", str(process.pid), UID, port, address, descriptor]
    environment = dict(os.environ, ATTACK_SMUGGLED="1")
    outcome = subprocess.run(command, pass_fds=[9], capture_output=True, text=True, timeout=30, env=environment, cwd="/local_disk0")
    os.close(secret)
    os.close(9)
    time.sleep(0.01)
    lives = "lives" if process.poll() is None else "ended"
    process.kill()
    process.communicate()
    lines = outcome.stdout.strip().splitlines()
    said = lines[-1] if len(lines) == 1 else f"broken: {outcome.returncode} {outcome.stdout} {outcome.stderr}".replace("\n", " | ")
    print(name, how, lives, said, flush=True)


def prepare_node():
    subprocess.run(["mount", "--bind", "/bin/true", "/usr/bin/yes"], check=True)
    # Its own mount, as the protected trees of a node are.
    os.makedirs(PROTECTED)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "protected", PROTECTED], check=True)


if __name__ == "__main__":
    prepare_node()
    for name in sorted(name[:-3] for name in os.listdir(ATTACKS) if name.endswith(".py") and name != "attempt.py"):
        attempt(name, "unlocked")
        attempt(name, "locked", LOCK)
