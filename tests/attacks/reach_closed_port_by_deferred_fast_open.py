# expect: denied
"""Asks for the connection to be made with the first data, later."""
import socket

from attempt import attack, closed_port, found

FAST_OPEN_CONNECT = 30


@attack
def attempt():
    with socket.socket() as deputy:
        deputy.setsockopt(socket.IPPROTO_TCP, FAST_OPEN_CONNECT, 1)
        deputy.connect(closed_port())
        deputy.sendall(b"x")
        return found(deputy.recv(100))
