# expect: denied
"""Adds a file to the system's configuration."""
import os

from attempt import attack


@attack
def attempt():
    path = "/etc/ld.so.preload.attack"
    with open(path, "x"):
        os.unlink(path)
    return "made a file in /etc"
