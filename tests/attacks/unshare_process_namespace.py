# expect: denied
"""A process namespace of its own."""
from attempt import attack, call, in_child


@attack
def attempt():
    in_child(lambda: call("unshare", 0x20000000))  # CLONE_NEWPID
    return "it has one"
