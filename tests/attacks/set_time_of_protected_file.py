# expect: denied
"""Makes a file look untouched, or new."""
import os

from attempt import attack, SECRET


@attack
def attempt():
    os.utime(SECRET)
    return "set its times"
