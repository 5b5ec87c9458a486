# expect: denied
"""Becomes the uid that the sidecar runs under."""
import os

from attempt import attack, in_child, other_uid


@attack
def attempt():
    in_child(lambda: os.setresuid(other_uid(), other_uid(), other_uid()))
    return "became it"
