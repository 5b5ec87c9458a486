# expect: denied
"""One letter here restarts the machine; opened, not written."""
import os

from attempt import attack


@attack
def attempt():
    os.close(os.open("/proc/sysrq-trigger", os.O_WRONLY))
    return "opened sysrq-trigger for writing"
