# expect: denied
"""Sends data with the first packet: the kernel connects without asking whether it may."""
import socket

from attempt import attack, closed_port, found


@attack
def attempt():
    with socket.socket() as deputy:
        deputy.sendto(b"x", socket.MSG_FASTOPEN, closed_port())
        return found(deputy.recv(100))
