# expect: denied
"""Where the memory of a process outside lies."""
from attempt import attack, read, victim


@attack
def attempt():
    return read(f"/proc/{victim()}/maps", b"python")
