# expect: denied
"""Another root for every process of the namespace; the paths do not exist, which is found out after the permission."""
import errno

from attempt import attack, gate


@attack
def attempt():
    return gate("pivot_root", b"/no-such-root", b"/no-such-root", past=(errno.ENOENT, errno.EINVAL))
