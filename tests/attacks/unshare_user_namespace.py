# expect: denied
"""A user namespace: every capability inside, and the kernel behind them."""
from attempt import attack, call, in_child


@attack
def attempt():
    in_child(lambda: call("unshare", 0x10000000))  # CLONE_NEWUSER
    return "it has one"
