# expect: denied
"""O_PATH asks for no right: the directory is held so, and the file is opened from it."""
import os

from attempt import attack, PROTECTED, found


@attack
def attempt():
    directory = os.open(PROTECTED, os.O_PATH | os.O_DIRECTORY)
    return found(os.read(os.open("secret", os.O_RDONLY, dir_fd=directory), 100))
