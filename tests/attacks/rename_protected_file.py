# expect: denied
"""Moves the file away."""
import os

from attempt import attack, PROTECTED, SECRET


@attack
def attempt():
    moved = PROTECTED + "/moved"
    os.rename(SECRET, moved)
    os.rename(moved, SECRET)
    return "moved it away and back"
