# expect: denied
"""Chains a process outside to one processor."""
import os

from attempt import attack, victim


@attack
def attempt():
    os.sched_setaffinity(victim(), {min(os.sched_getaffinity(0))})
    return "it has one processor"
