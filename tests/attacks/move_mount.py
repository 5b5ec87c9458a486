# expect: denied
"""Moves a mount to where it may be read."""
import os

from attempt import attack, PROTECTED, WORK, system_call


@attack
def attempt():
    place = WORK + "/place"
    os.makedirs(place, exist_ok=True)
    system_call("move_mount", -100, PROTECTED.encode(), -100, place.encode(), 0)
    system_call("move_mount", -100, place.encode(), -100, PROTECTED.encode(), 0)
    return "moved it, and back"
