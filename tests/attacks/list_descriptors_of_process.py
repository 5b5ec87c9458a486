# expect: denied
"""What a process outside has open."""
import os

from attempt import attack, victim


@attack
def attempt():
    names = [os.readlink(f"/proc/{victim()}/fd/{name}") for name in os.listdir(f"/proc/{victim()}/fd")]
    return f"{len(names)} names"
