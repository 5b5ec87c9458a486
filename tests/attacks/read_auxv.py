# expect: denied
"""Random bytes and addresses that a process outside was started with."""
from attempt import attack, read, victim


@attack
def attempt():
    return read(f"/proc/{victim()}/auxv", b"")
