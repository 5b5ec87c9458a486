# expect: denied
"""A set-user-id bit on a program that everybody runs."""
import os

from attempt import attack, PROTECTED


@attack
def attempt():
    os.chmod(PROTECTED + "/program", 0o4755)
    os.chmod(PROTECTED + "/program", 0o755)
    return "set the bit"
