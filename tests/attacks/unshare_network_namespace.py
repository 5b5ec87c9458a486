# expect: denied
"""A network namespace of its own, without the platform's rules."""
from attempt import attack, call, in_child


@attack
def attempt():
    in_child(lambda: call("unshare", 0x40000000))  # CLONE_NEWNET
    return "it has one"
