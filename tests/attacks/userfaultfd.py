# expect: denied
"""Stops the kernel in the middle of a copy: a tool of many kernel exploits."""
import os

from attempt import attack, system_call


@attack
def attempt():
    return f"descriptor {system_call('userfaultfd', os.O_CLOEXEC)}"
