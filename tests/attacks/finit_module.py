# expect: denied
"""Loads a kernel module; the descriptor is none, which is found out after the permission."""
import errno

from attempt import attack, gate


@attack
def attempt():
    return gate("finit_module", -1, b"", 0, past=(errno.EBADF,))
