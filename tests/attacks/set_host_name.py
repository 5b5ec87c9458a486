# expect: denied
"""Gives the machine another name: its own."""
import socket

from attempt import attack


@attack
def attempt():
    socket.sethostname(socket.gethostname())
    return "named it"
