# expect: denied
"""Makes the clock run faster; the tick is none, which is found out after the permission."""
import ctypes
import errno
import struct

from attempt import attack, check, libc


@attack
def attempt():
    # struct timex: modes = ADJ_TICK, tick = 0
    try:
        check(libc.adjtimex(ctypes.create_string_buffer(struct.pack("I", 0x4000), 208)))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return "adjtimex passed the permission check and failed at its argument"
