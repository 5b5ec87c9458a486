# expect: open
"""The dynamic loader is a program that runs any file it may read: only a loader of our own could hold this."""
import os
import platform
import shutil
import subprocess

from attempt import attack, WORK


@attack
def attempt():
    program = WORK + "/data"
    shutil.copy("/bin/true", program)
    os.chmod(program, 0o600)
    loader = "/lib/ld-linux-aarch64.so.1" if platform.machine() == "aarch64" else "/lib64/ld-linux-x86-64.so.2"
    subprocess.run([loader, program], check=True)
    return "it ran"
