# expect: denied
"""Takes a process outside over."""
import os

from attempt import attack, call, victim


@attack
def attempt():
    call("ptrace", 16, victim(), None, None)  # PTRACE_ATTACH
    os.waitpid(victim(), 0)
    call("ptrace", 17, victim(), None, None)  # PTRACE_DETACH
    return "was its tracer"
