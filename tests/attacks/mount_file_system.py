# expect: denied
"""Mounts over a directory that it may write."""
from attempt import attack, WORK, call


@attack
def attempt():
    call("mount", b"none", WORK.encode(), b"tmpfs", 0, None)
    call("umount2", WORK.encode(), 2)
    return "mounted a file system"
