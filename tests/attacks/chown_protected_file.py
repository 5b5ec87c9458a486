# expect: denied
"""Gives the file to somebody."""
import os

from attempt import attack, SECRET


@attack
def attempt():
    os.chown(SECRET, 0, 0)
    return "set its owner"
