# expect: denied
"""Puts a program of its own in the place of another."""
from attempt import attack, call


@attack
def attempt():
    call("mount", b"/bin/false", b"/usr/bin/yes", None, 4096, None)  # MS_BIND
    call("umount2", b"/usr/bin/yes", 2)
    return "replaced a program"
