# expect: denied
"""Compares open files with a process outside: an oracle for kernel addresses."""
import os

from attempt import attack, system_call, victim


@attack
def attempt():
    return f"answered {system_call('kcmp', os.getpid(), victim(), 0, 0, 0)}"
