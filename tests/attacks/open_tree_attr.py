# expect: denied
"""The same by the call of Linux 6.15."""
import os

from attempt import attack, PROTECTED, found, system_call


@attack
def attempt():
    tree = system_call("open_tree_attr", -100, PROTECTED.encode(), 1, None, 0)  # OPEN_TREE_CLONE
    return found(os.read(os.open("secret", os.O_RDONLY, dir_fd=tree), 100))
