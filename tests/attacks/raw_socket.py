# expect: denied
"""Sends and reads packets of its own making."""
import socket

from attempt import attack


@attack
def attempt():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP):
        return "has one"
