# expect: denied
"""Swaps to a file of its own; there is none of that name."""
import errno

from attempt import attack, gate


@attack
def attempt():
    return gate("swapon", b"/no-such-file", 0, past=(errno.ENOENT,))
