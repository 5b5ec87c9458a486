# expect: denied
"""Takes swap away; there is none of that name."""
import errno

from attempt import attack, gate


@attack
def attempt():
    return gate("swapoff", b"/no-such-file", past=(errno.ENOENT, errno.EINVAL))
