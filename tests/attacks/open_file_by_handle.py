# expect: denied
"""Walks past every path: the file's handle, opened from any mount."""
import ctypes
import os
import struct

from attempt import attack, PROTECTED, SECRET, found, system_call


@attack
def attempt():
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    system_call("name_to_handle_at", -100, SECRET.encode(), handle, ctypes.byref(mount), 0)
    anywhere = os.open(PROTECTED, os.O_RDONLY | os.O_DIRECTORY)
    return found(os.read(system_call("open_by_handle_at", anywhere, handle, os.O_RDONLY), 100))
