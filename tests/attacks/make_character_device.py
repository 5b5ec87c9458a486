# expect: denied
"""A node of /dev/mem's kind."""
import os
import stat

from attempt import attack, WORK


@attack
def attempt():
    node = WORK + "/memory"
    os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(1, 1))
    os.unlink(node)
    return "made a character device"
