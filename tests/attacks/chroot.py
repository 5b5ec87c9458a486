# expect: denied
"""A root of its own, in which its own files are the system's."""
import os

from attempt import attack, in_child


@attack
def attempt():
    in_child(lambda: os.chroot("/tmp"))
    return "the root is elsewhere"
