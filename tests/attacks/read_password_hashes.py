# expect: denied
"""The password file is masked: it is there and empty."""
from attempt import attack, read


@attack
def attempt():
    return read("/etc/shadow", b"root:")
