# expect: denied
"""Ends a process outside, through its thread."""
from attempt import attack, system_call, victim


@attack
def attempt():
    system_call("tgkill", victim(), victim(), 15)
    return "sent it SIGTERM"
