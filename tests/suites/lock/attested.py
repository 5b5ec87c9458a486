"""Runs attacks before `longhorn init` locked this node and after, each by nothing but the interpreter's own path."""
import os
import subprocess
import sys

from stage import PYTHON, attempt, prepare_node

NAMES = sys.argv[1:]
REAL = "/var/lib/longhorn/real/1/" + os.path.relpath(os.path.realpath(PYTHON), "/usr")

prepare_node()
for name in NAMES:
    attempt(name, "unlocked")
subprocess.run(["sh", "-c", ". /mnt/host/code/prelude.sh; lock > /dev/null"], check=True)
for name in NAMES:
    attempt(name, "locked", outside=REAL)
