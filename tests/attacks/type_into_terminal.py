# expect: denied
"""Types into another process's terminal."""
import fcntl
import os
import termios

from attempt import attack


@attack
def attempt():
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSTI, b"x")
    return "typed a letter"
