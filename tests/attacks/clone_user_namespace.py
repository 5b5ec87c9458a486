# expect: denied
"""A child in a user namespace, by clone."""
import ctypes
import os
import signal

from attempt import attack, call, in_child, libc, ARM


@attack
def attempt():
    def attempt_in_child():
        number = 220 if ARM else 56
        made = call("syscall", ctypes.c_long(number), ctypes.c_long(0x10000000 | signal.SIGCHLD), None, None, None, None)
        if made == 0:
            os._exit(0)
        os.waitpid(made, 0)

    in_child(attempt_in_child)
    return "the child had one"
