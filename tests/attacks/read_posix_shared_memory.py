# expect: denied
"""Shared memory of a process outside, by its name."""
from attempt import attack, read


@attack
def attempt():
    return read("/dev/shm/attack-victim")
