# expect: denied
"""Opens a file that no rule grants."""
from attempt import attack, SECRET, read


@attack
def attempt():
    return read(SECRET)
