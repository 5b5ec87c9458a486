# expect: denied
"""The same by sendmsg(2)."""
import socket

from attempt import attack, closed_port, found


@attack
def attempt():
    with socket.socket() as deputy:
        deputy.sendmsg([b"x"], [], socket.MSG_FASTOPEN, closed_port())
        return found(deputy.recv(100))
