# expect: denied
"""Capabilities in the file's attribute: the next exec of it has them."""
import os
import struct

from attempt import attack, PROTECTED


@attack
def attempt():
    # struct vfs_cap_data, version 2 with the effective flag, CAP_CHOWN
    data = struct.pack("<IIIII", 0x02000001, 1, 0, 0, 0)
    os.setxattr(PROTECTED + "/program", "security.capability", data)
    os.removexattr(PROTECTED + "/program", "security.capability")
    return "gave the program CAP_CHOWN"
