# expect: open
"""What a file is called, its size and times are no secret from who may enter its directory (no kernel right covers it)."""
import os

from attempt import attack, SECRET


@attack
def attempt():
    return f"{os.stat(SECRET).st_size} bytes"
