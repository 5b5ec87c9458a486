# expect: open
"""A deputy whose socket lies in a granted directory hands out an open file: descriptors carry their own right."""
import os
import socket

from attempt import attack, WORK, found


@attack
def attempt():
    with socket.socket(socket.AF_UNIX) as deputy:
        deputy.connect(WORK + "/deputy")
        _, descriptors, _, _ = socket.recv_fds(deputy, 1, 1)
        return found(os.pread(descriptors[0], 100, 0))
