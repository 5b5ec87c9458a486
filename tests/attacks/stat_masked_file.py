# expect: denied
"""Where the directory is masked, not even the name is there."""
import os

from attempt import attack


@attack
def attempt():
    return f"inode {os.stat('/run/attack-deputy/socket').st_ino}"
