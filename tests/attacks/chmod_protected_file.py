# expect: denied
"""Landlock does not cover metadata: only the read-only mount and the uid stand in the way."""
import os

from attempt import attack, SECRET


@attack
def attempt():
    os.chmod(SECRET, 0o600)
    return "set its mode"
