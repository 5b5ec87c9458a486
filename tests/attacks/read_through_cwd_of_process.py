# expect: denied
"""The working directory of a process outside."""
import os

from attempt import attack, victim


@attack
def attempt():
    return f"{len(os.listdir(f'/proc/{victim()}/cwd/'))} names"
