# expect: denied
"""A handle can be guessed (an inode number and a generation): only the call that opens it stands in the way."""
import ctypes
import errno
import os
import struct

from attempt import attack, gate


@attack
def attempt():
    handle = ctypes.create_string_buffer(struct.pack("Ii", 8, 1) + bytes(8))
    anywhere = os.open("/tmp", os.O_RDONLY | os.O_DIRECTORY)
    return gate("open_by_handle_at", anywhere, handle, os.O_RDONLY, past=(errno.ESTALE, errno.EOPNOTSUPP))
