# expect: denied
"""Shared memory of a process outside, by its key."""
import ctypes

from attempt import attack, found, call, libc


@attack
def attempt():
    libc.shmat.restype = ctypes.c_void_p
    segment = call("shmget", 0x4C48, 0, 0)
    address = libc.shmat(segment, None, 0o10000)  # SHM_RDONLY
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "cannot attach")
    return found(ctypes.string_at(address, 64))
