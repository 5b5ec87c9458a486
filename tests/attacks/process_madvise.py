# expect: denied
"""Pages the memory of a process outside out."""
import ctypes
import sys

from attempt import attack, system_call, victim


@attack
def attempt():
    process = system_call("pidfd_open", victim(), 0)
    page = int(sys.argv[4]) & ~4095
    system_call("process_madvise", process, (ctypes.c_size_t * 2)(page, 4096), 1, 20, 0)  # MADV_COLD
    return "its memory was marked cold"
