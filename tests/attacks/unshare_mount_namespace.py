# expect: denied
"""A mount namespace of its own."""
from attempt import attack, call, in_child


@attack
def attempt():
    in_child(lambda: call("unshare", 0x00020000))  # CLONE_NEWNS
    return "it has one"
