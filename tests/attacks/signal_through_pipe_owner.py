# expect: denied
"""Makes a process outside the owner of a pipe: the kernel then sends it a signal of our choice."""
import errno
import fcntl
import os
import signal
import time

from attempt import attack, victim


@attack
def attempt():
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETOWN, victim())
    fcntl.fcntl(reader, 10, signal.SIGTERM)  # F_SETSIG
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(writer, b"x")
    # Whether it arrived is seen from outside as well: the stage asks whether the victim still lives.
    for _ in range(50):
        try:
            os.kill(victim(), 0)
            with open(f"/proc/{victim()}/stat") as file:
                if ") Z " in file.read():
                    break
        except ProcessLookupError:
            break
        time.sleep(0.02)
    else:
        raise OSError(errno.EPERM, "it did not arrive")
    return "it was ended"
