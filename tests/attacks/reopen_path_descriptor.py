# expect: denied
"""O_PATH asks for no right: the file is held so, and opened again through /proc."""
import os

from attempt import attack, SECRET, read


@attack
def attempt():
    return read(f"/proc/self/fd/{os.open(SECRET, os.O_PATH)}")
