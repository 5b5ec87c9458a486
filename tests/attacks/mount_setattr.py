# expect: denied
"""Turns a read-only mount into a writable one, by the newer call."""
import ctypes
import struct

from attempt import attack, PROTECTED, system_call


@attack
def attempt():
    # struct mount_attr: attr_set, attr_clr = MOUNT_ATTR_RDONLY, propagation, userns_fd
    attributes = ctypes.create_string_buffer(struct.pack("QQQQ", 0, 1, 0, 0), 32)
    system_call("mount_setattr", -100, PROTECTED.encode(), 0, attributes, 32)
    return "it is writable"
