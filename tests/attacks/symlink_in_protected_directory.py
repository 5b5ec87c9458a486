# expect: denied
"""Makes a link where only the platform writes."""
import os

from attempt import attack, PROTECTED


@attack
def attempt():
    link = PROTECTED + "/link"
    os.symlink("/tmp", link)
    os.unlink(link)
    return "made a link"
