# expect: denied
"""The root directory of a process outside: its mount namespace, in which nothing is masked."""
from attempt import attack, SECRET, read, victim


@attack
def attempt():
    return read(f"/proc/{victim()}/root{SECRET}")
