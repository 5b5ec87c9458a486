# expect: denied
"""Talks to one hardware port."""
import ctypes

from attempt import attack, Impossible, ARM, check, libc


@attack
def attempt():
    if ARM:
        raise Impossible("no such call on this architecture")
    libc.syscall.restype = ctypes.c_long
    check(libc.syscall(ctypes.c_long(173), ctypes.c_long(0x80), ctypes.c_long(1), ctypes.c_long(1)))
    return "port 0x80"
