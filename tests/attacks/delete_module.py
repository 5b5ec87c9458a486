# expect: denied
"""Takes a kernel module away; there is none of that name."""
import errno

from attempt import attack, gate


@attack
def attempt():
    return gate("delete_module", b"attack_no_such_module", 0, past=(errno.ENOENT,))
