# expect: denied
"""Reads every packet of the machine, loopback included."""
import socket

from attempt import attack


@attack
def attempt():
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0):
        return "has one"
