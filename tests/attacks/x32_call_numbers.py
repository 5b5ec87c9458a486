# expect: denied
"""The same calls under other numbers, which a careless filter lets pass."""
import ctypes

from attempt import attack, Impossible, ARM, check, in_child, libc


@attack
def attempt():
    if ARM:
        raise Impossible("no such numbers on this architecture")
    libc.syscall.restype = ctypes.c_long
    in_child(lambda: check(libc.syscall(ctypes.c_long(0x40000000 | 39))))  # getpid
    return "answered"
