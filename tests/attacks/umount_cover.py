# expect: denied
"""Takes the cover off a covered program."""
from attempt import attack, call


@attack
def attempt():
    call("umount2", b"/usr/bin/yes", 2)  # MNT_DETACH
    call("mount", b"/bin/true", b"/usr/bin/yes", None, 4096, None)
    return "the cover was off"
