# expect: denied
"""A variable that nobody declared, set by the caller."""
import errno
import os

from attempt import attack


@attack
def attempt():
    if "ATTACK_SMUGGLED" not in os.environ:
        raise OSError(errno.ENOENT, "it did not arrive")
    return "it arrived"
