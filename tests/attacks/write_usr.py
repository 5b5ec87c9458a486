# expect: denied
"""Adds a module to every interpreter of the machine."""
import os

from attempt import attack


@attack
def attempt():
    path = "/usr/lib/python3/dist-packages/attack.pth"
    with open(path, "x"):
        os.unlink(path)
    return "made a .pth file"
