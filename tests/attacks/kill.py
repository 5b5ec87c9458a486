# expect: denied
"""Ends a process outside."""
import os
import signal

from attempt import attack, victim


@attack
def attempt():
    os.kill(victim(), signal.SIGTERM)
    return "sent it SIGTERM"
