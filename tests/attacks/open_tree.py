# expect: denied
"""A private copy of a mount, in which no cover and no mask lies."""
import os

from attempt import attack, PROTECTED, found, system_call


@attack
def attempt():
    tree = system_call("open_tree", -100, PROTECTED.encode(), 1)  # OPEN_TREE_CLONE
    return found(os.read(os.open("secret", os.O_RDONLY, dir_fd=tree), 100))
