# expect: denied
"""A block device node made where writing is granted: the disk below every file."""
import os
import stat

from attempt import attack, WORK


@attack
def attempt():
    node = WORK + "/disk"
    os.mknod(node, stat.S_IFBLK | 0o600, os.stat("/mnt/host").st_dev)
    try:
        return f"read {len(os.read(os.open(node, os.O_RDONLY), 512))} bytes of the disk"
    finally:
        os.unlink(node)
