# expect: denied
"""Connects to the port that the policy closes."""
import socket

from attempt import attack, closed_port, found


@attack
def attempt():
    with socket.create_connection(closed_port()) as deputy:
        return found(deputy.recv(100))
