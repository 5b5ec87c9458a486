# expect: denied
"""Executes a program of the platform that no rule grants."""
import subprocess

from attempt import attack, PROTECTED


@attack
def attempt():
    subprocess.run([PROTECTED + "/program"], check=True)
    return "it ran"
