# expect: denied
"""Removes an empty directory of a protected tree."""
import os

from attempt import attack, PROTECTED


@attack
def attempt():
    os.rmdir(PROTECTED + "/directory")
    os.mkdir(PROTECTED + "/directory")
    return "removed it and made it again"
