# expect: denied
"""Which processes there are."""
import errno
import os

from attempt import attack, victim


@attack
def attempt():
    if str(victim()) not in os.listdir("/proc"):
        raise OSError(errno.ESRCH, "not in sight")
    return "the victim is in sight"
