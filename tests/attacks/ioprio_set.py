# expect: denied
"""Takes the disk from a process outside."""
from attempt import attack, system_call, victim


@attack
def attempt():
    system_call("ioprio_set", 1, victim(), 3 << 13)  # IOPRIO_WHO_PROCESS, IOPRIO_CLASS_IDLE
    return "its reads come last"
