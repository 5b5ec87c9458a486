# expect: denied
"""Another kernel; the flags are none, which is found out after the permission."""
from attempt import attack, gate


@attack
def attempt():
    return gate("kexec_load", 0, 0, None, 0x7FF0)
