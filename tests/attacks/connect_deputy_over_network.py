# expect: open
"""A deputy on a port reads the file for whoever connects: no lock on the job can help, the deputy must ask who it is."""
import socket
import sys

from attempt import attack, found


@attack
def attempt():
    with socket.create_connection(("127.0.0.1", int(sys.argv[3]))) as deputy:
        return found(deputy.recv(100))
