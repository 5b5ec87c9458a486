# expect: denied
"""Sets the clock; the time zone is none, which is found out after the permission."""
import ctypes
import errno
import struct

from attempt import attack, check, libc, ARM


@attack
def attempt():
    libc.syscall.restype = ctypes.c_long
    zone = ctypes.create_string_buffer(struct.pack("ii", 100000, 0), 8)
    try:
        check(libc.syscall(ctypes.c_long(170 if ARM else 164), None, zone))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return "settimeofday passed the permission check and failed at its argument"
