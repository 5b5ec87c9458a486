# expect: denied
"""Takes a process outside over without stopping it."""
from attempt import attack, call, victim


@attack
def attempt():
    call("ptrace", 0x4206, victim(), None, None)  # PTRACE_SEIZE
    return "is its tracer"
