# expect: denied
"""Extended attributes are metadata as well."""
import os

from attempt import attack, SECRET


@attack
def attempt():
    os.setxattr(SECRET, "trusted.attack", b"1")
    return "set an attribute"
