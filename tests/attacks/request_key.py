# expect: denied
"""Asks for a key; the kernel may start a program for it."""
import errno

from attempt import attack, gate


@attack
def attempt():
    return gate("request_key", b"user", b"attack-no-such-key", None, 0, past=(errno.ENOKEY,))
