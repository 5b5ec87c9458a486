# expect: denied
"""Ends a process outside, through a descriptor."""
from attempt import attack, system_call, victim


@attack
def attempt():
    process = system_call("pidfd_open", victim(), 0)
    system_call("pidfd_send_signal", process, 15, None, 0)
    return "sent it SIGTERM"
