# expect: denied
"""Multipath TCP: to a peer that has none, it is plain TCP."""
import socket

from attempt import attack, closed_port, found

MULTIPATH = 262


@attack
def attempt():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, MULTIPATH) as deputy:
        deputy.connect(closed_port())
        return found(deputy.recv(100))
