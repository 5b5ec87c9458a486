# expect: denied
"""Truncation is a right of its own (Landlock ABI 3): to its own length, so nothing changes."""
import os

from attempt import attack, SECRET


@attack
def attempt():
    os.truncate(SECRET, os.stat(SECRET).st_size)
    return "truncated it to its own length"
