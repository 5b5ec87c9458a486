# expect: denied
"""Reaches the same file by another name of the root."""
from attempt import attack, SECRET, read


@attack
def attempt():
    return read("/proc/self/root" + SECRET)
