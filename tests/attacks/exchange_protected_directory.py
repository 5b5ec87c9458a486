# expect: denied
"""Swaps the protected directory's content for its own by RENAME_EXCHANGE."""
from attempt import attack, PROTECTED, call


@attack
def attempt():
    # renameat2(AT_FDCWD, ..., RENAME_EXCHANGE)
    for _ in range(2):
        call("renameat2", -100, (PROTECTED + "/secret").encode(), -100, (PROTECTED + "/directory").encode(), 2)
    return "swapped them, and back"
