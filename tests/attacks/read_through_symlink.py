# expect: denied
"""Reaches the file through a link in a directory that is granted."""
import os

from attempt import attack, SECRET, WORK, read


@attack
def attempt():
    link = WORK + "/link"
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(SECRET, link)
    return read(link)
