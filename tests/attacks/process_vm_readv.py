# expect: denied
"""Copies the memory of a process outside."""
import ctypes
import sys

from attempt import attack, found, system_call, victim


@attack
def attempt():
    mine = ctypes.create_string_buffer(64)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(mine), 64)
    remote = (ctypes.c_size_t * 2)(int(sys.argv[4]), 64)
    system_call("process_vm_readv", victim(), local, 1, remote, 1, 0)
    return found(mine.raw)
