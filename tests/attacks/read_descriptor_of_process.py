# expect: denied
"""The open file of a process outside, opened again."""
import sys

from attempt import attack, read, victim


@attack
def attempt():
    return read(f"/proc/{victim()}/fd/{sys.argv[5]}")
