# expect: denied
"""Writes the memory of a process outside: no byte of it, which asks for the same permission."""
import ctypes
import sys

from attempt import attack, system_call, victim


@attack
def attempt():
    mine = ctypes.create_string_buffer(8)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(mine), 0)
    remote = (ctypes.c_size_t * 2)(int(sys.argv[4]), 0)
    system_call("process_vm_writev", victim(), local, 1, remote, 1, 0)
    system_call("process_vm_readv", victim(), (ctypes.c_size_t * 2)(ctypes.addressof(mine), 8), 1,
                (ctypes.c_size_t * 2)(int(sys.argv[4]), 8), 1, 0)
    system_call("process_vm_writev", victim(), (ctypes.c_size_t * 2)(ctypes.addressof(mine), 8), 1,
                (ctypes.c_size_t * 2)(int(sys.argv[4]), 8), 1, 0)
    return "wrote back what it read"
