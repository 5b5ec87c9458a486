# expect: denied
"""Talks to hardware ports."""
import ctypes

from attempt import attack, Impossible, ARM, check, libc


@attack
def attempt():
    if ARM:
        raise Impossible("no such call on this architecture")
    libc.syscall.restype = ctypes.c_long
    check(libc.syscall(ctypes.c_long(172), ctypes.c_long(3)))
    return "level 3"
