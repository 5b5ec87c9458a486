# expect: denied
"""Executes a program that it wrote itself."""
import os
import shutil
import subprocess

from attempt import attack, WORK


@attack
def attempt():
    program = WORK + "/program"
    shutil.copy("/bin/true", program)
    os.chmod(program, 0o755)
    subprocess.run([program], check=True)
    return "it ran"
