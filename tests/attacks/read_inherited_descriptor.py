# expect: denied
"""A careless parent left descriptor 9 open on the file."""
import os

from attempt import attack, found


@attack
def attempt():
    return found(os.read(9, 100))
