# expect: denied
"""The same port of the same deputy, by its address within IPv6."""
import socket

from attempt import attack, closed_port, found


@attack
def attempt():
    with socket.socket(socket.AF_INET6) as deputy:
        address, port = closed_port()
        deputy.connect((f"::ffff:{address}", port))
        return found(deputy.recv(100))
