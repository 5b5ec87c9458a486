# expect: denied
"""How a process outside was started: the process list is out of sight."""
from attempt import attack, read, victim


@attack
def attempt():
    return read(f"/proc/{victim()}/cmdline", b"victim.py")
