# expect: denied
"""A child in a user namespace, by clone3, whose flags no filter can see."""
import ctypes
import os
import signal
import struct

from attempt import attack, in_child, system_call


@attack
def attempt():
    def attempt_in_child():
        # struct clone_args: flags = CLONE_NEWUSER, ..., exit_signal at 32
        arguments = ctypes.create_string_buffer(struct.pack("QQQQQQQQ", 0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0), 64)
        made = system_call("clone3", arguments, 64)
        if made == 0:
            os._exit(0)
        os.waitpid(made, 0)

    in_child(attempt_in_child)
    return "the child had one"
