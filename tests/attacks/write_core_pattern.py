# expect: denied
"""Who writes core_pattern runs a program as root outside of everything; opened, not written."""
import os

from attempt import attack


@attack
def attempt():
    os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
    return "opened core_pattern for writing"
