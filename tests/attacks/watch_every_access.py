# expect: denied
"""fanotify hands out an open descriptor of each file that anybody touches."""
import os

from attempt import attack, system_call


@attack
def attempt():
    return f"descriptor {system_call('fanotify_init', 0, os.O_RDONLY)}"
