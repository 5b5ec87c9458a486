# expect: denied
"""Takes the sidecar's group as one more."""
import os

from attempt import attack, in_child, other_uid


@attack
def attempt():
    in_child(lambda: os.setgroups([other_uid()]))
    return "joined it"
