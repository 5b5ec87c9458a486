# expect: denied
"""A deputy outside reads the file for whoever connects; the directory of its socket is masked."""
import socket

from attempt import attack, found


@attack
def attempt():
    with socket.socket(socket.AF_UNIX) as deputy:
        deputy.connect("/run/attack-deputy/socket")
        return found(deputy.recv(100))
