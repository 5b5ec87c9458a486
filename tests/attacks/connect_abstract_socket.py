# expect: denied
"""The same deputy on an abstract socket (Landlock scope, ABI 6)."""
import socket

from attempt import attack, found


@attack
def attempt():
    with socket.socket(socket.AF_UNIX) as deputy:
        deputy.connect("\0longhorn-attack-deputy")
        return found(deputy.recv(100))
