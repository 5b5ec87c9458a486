# expect: denied
"""Talks to the hypervisor."""
import socket

from attempt import attack


@attack
def attempt():
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM):
        return "has one"
