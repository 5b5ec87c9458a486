# expect: denied
"""No processor time left: the kernel kills a process outside that a signal scope protects."""
import resource

from attempt import attack, victim


@attack
def attempt():
    resource.prlimit(victim(), resource.RLIMIT_CPU, (1, 1))
    return "it has one second to live"
