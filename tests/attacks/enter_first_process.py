# expect: denied
"""Enters the mount namespace of process 1."""
import os

from attempt import attack, call, in_child


@attack
def attempt():
    def attempt_in_child():
        call("setns", os.open("/proc/1/ns/mnt", os.O_RDONLY), 0)

    in_child(attempt_in_child)
    return "entered it"
