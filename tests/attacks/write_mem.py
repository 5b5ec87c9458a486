# expect: denied
"""The memory of a process outside, written with what it already holds."""
import os
import sys

from attempt import attack, victim


@attack
def attempt():
    memory = os.open(f"/proc/{victim()}/mem", os.O_RDWR)
    os.pwrite(memory, os.pread(memory, 8, int(sys.argv[4])), int(sys.argv[4]))
    return "wrote 8 bytes"
