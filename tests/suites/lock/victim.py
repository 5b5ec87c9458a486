"""A process outside of the lock that holds a secret in every way that a process can, and deputies that read it for whoever
connects. Prints `port address descriptor`, then serves until it is ended."""
import ctypes
import os
import socket
import sys
import threading

sys.path.insert(0, sys.argv[1])
from attempt import SECRET, SECRET_TEXT, WORK  # noqa: E402

memory = ctypes.create_string_buffer(b"attack-secret in memory", 8192)
held = os.open(SECRET, os.O_RDONLY)
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0x4C48, 4096, 0o1600)
address = libc.shmat(segment, None, 0)
ctypes.memmove(address, b"attack-secret", 14)
with open("/dev/shm/attack-victim", "wb") as shared:
    shared.write(SECRET_TEXT)


def serve(listener, answer):
    listener.listen()
    while True:
        connection, _ = listener.accept()
        with connection:
            answer(connection)


def tell(connection):
    with open(SECRET, "rb") as file:
        connection.sendall(file.read())
    # What was sent and not read would end the connection with a reset, before the answer is read.
    connection.shutdown(socket.SHUT_WR)
    connection.recv(100)


def hand_out(connection):
    socket.send_fds(connection, [b"x"], [held])


def on_path(path):
    if os.path.lexists(path):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    return listener


network = socket.create_server(("127.0.0.1", 0))
abstract = socket.socket(socket.AF_UNIX)
closed = socket.create_server((f"127.1.{network.getsockname()[1] >> 8}.{network.getsockname()[1] & 255}", 80))
# Nodes of tests share the network, and these names with it.
abstract.bind(f"\0longhorn-attack-deputy-{network.getsockname()[1]}")
for listener, answer in [
    (on_path("/run/attack-deputy/socket"), tell),
    (on_path(WORK + "/deputy"), hand_out),
    (abstract, tell),
    (network, tell),
    (closed, tell),
]:
    threading.Thread(target=serve, args=(listener, answer), daemon=True).start()
print(network.getsockname()[1], ctypes.addressof(memory), held, flush=True)
# The write end is the stage's: its end is ours.
sys.stdin.read()
libc.shmctl(segment, 0, None)
