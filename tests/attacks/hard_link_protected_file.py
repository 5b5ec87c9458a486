# expect: denied
"""Gives the file a second name."""
import os

from attempt import attack, PROTECTED, SECRET, read


@attack
def attempt():
    second = PROTECTED + "/second"
    os.link(SECRET, second)
    try:
        return read(second)
    finally:
        os.unlink(second)
