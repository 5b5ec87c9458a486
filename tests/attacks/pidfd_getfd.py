# expect: denied
"""Takes an open file out of a process outside."""
import os
import sys

from attempt import attack, found, system_call, victim


@attack
def attempt():
    process = system_call("pidfd_open", victim(), 0)
    taken = system_call("pidfd_getfd", process, int(sys.argv[5]), 0)
    return found(os.pread(taken, 100, 0))
