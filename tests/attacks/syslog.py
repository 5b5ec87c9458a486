# expect: denied
"""Reads the kernel's log, addresses included."""
import ctypes

from attempt import attack, system_call


@attack
def attempt():
    return f"{system_call('syslog', 3, ctypes.create_string_buffer(4096), 4096)} bytes"  # SYSLOG_ACTION_READ_ALL
