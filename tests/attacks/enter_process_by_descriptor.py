# expect: denied
"""Enters the mount namespace of a process outside without /proc."""
from attempt import attack, call, in_child, system_call, victim


@attack
def attempt():
    def attempt_in_child():
        call("setns", system_call("pidfd_open", victim(), 0), 0x00020000)  # CLONE_NEWNS

    in_child(attempt_in_child)
    return "entered it"
