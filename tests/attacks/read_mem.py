# expect: denied
"""The memory of a process outside, through its file."""
import os
import sys

from attempt import attack, found, victim


@attack
def attempt():
    memory = os.open(f"/proc/{victim()}/mem", os.O_RDONLY)
    return found(os.pread(memory, 64, int(sys.argv[4])))
