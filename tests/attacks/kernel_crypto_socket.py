# expect: denied
"""Talks to the kernel's crypto, a wide surface."""
import socket

from attempt import attack


@attack
def attempt():
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET):
        return "has one"
