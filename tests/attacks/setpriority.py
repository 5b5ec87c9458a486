# expect: denied
"""Starves a process outside."""
import os

from attempt import attack, victim


@attack
def attempt():
    os.setpriority(os.PRIO_PROCESS, victim(), 19)
    return "it is the last in line"
