# expect: denied
"""Restarts the machine; the magic number is wrong, which is found out after the permission."""
from attempt import attack, gate


@attack
def attempt():
    return gate("reboot", 1, 2, 3, None)
