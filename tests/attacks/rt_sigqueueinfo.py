# expect: denied
"""Ends a process outside, with a signal that carries data."""
import ctypes
import struct

from attempt import attack, system_call, victim


@attack
def attempt():
    # siginfo_t: si_signo, si_errno, si_code = SI_QUEUE
    information = ctypes.create_string_buffer(struct.pack("iii", 15, 0, -1) + bytes(116))
    system_call("rt_sigqueueinfo", victim(), 15, information)
    return "sent it SIGTERM"
