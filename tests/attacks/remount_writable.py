# expect: denied
"""Turns a read-only mount into a writable one."""
from attempt import attack, PROTECTED, call


@attack
def attempt():
    call("mount", None, PROTECTED.encode(), None, 4096 | 32, None)  # MS_BIND | MS_REMOUNT
    return "it is writable"
