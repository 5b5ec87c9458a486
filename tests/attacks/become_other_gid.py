# expect: denied
"""Becomes the group that the sidecar runs under."""
import os

from attempt import attack, in_child, other_uid


@attack
def attempt():
    in_child(lambda: os.setresgid(other_uid(), other_uid(), other_uid()))
    return "became it"
