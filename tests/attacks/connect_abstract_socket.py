# expect: denied
"""The same deputy on an abstract socket (Landlock scope, ABI 6)."""
import socket
import sys

from attempt import attack, found


@attack
def attempt():
    with socket.socket(socket.AF_UNIX) as deputy:
        deputy.connect(f"\0longhorn-attack-deputy-{sys.argv[3]}")
        return found(deputy.recv(100))
