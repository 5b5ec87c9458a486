# expect: denied
"""Root that executes a program gets every capability back, unless the bounding set is cut."""
import errno
import subprocess

from attempt import attack


@attack
def attempt():
    text = subprocess.run(["/bin/cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
    held = int(next(line.split()[1] for line in text.splitlines() if line.startswith("CapEff")), 16)
    if held == 0:
        raise OSError(errno.EPERM, "no capability came back")
    return f"{held:x}"
