# expect: denied
"""Asks where the memory of a process outside lies, or moves it."""
import ctypes
import sys

from attempt import attack, system_call, victim


@attack
def attempt():
    pages = (ctypes.c_void_p * 1)(int(sys.argv[4]) & ~4095)
    status = (ctypes.c_int * 1)()
    system_call("move_pages", victim(), 1, pages, None, status, 0)
    return f"node {status[0]}"
