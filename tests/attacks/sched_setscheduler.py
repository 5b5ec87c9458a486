# expect: denied
"""Lets a process outside run only when nobody else wants to."""
import os

from attempt import attack, victim


@attack
def attempt():
    os.sched_setscheduler(victim(), os.SCHED_IDLE, os.sched_param(0))
    return "it is idle"
