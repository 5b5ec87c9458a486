# expect: denied
"""Writes a line for every process of the machine to a file; there is none of that name."""
import errno

from attempt import attack, gate


@attack
def attempt():
    return gate("acct", b"/no-such-file", past=(errno.ENOENT,))
