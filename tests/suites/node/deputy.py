"""A root service that reads a file for whoever asks on its sockets, and somebody who asks."""
import os
import socket
import sys
import threading


def serve(path):
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    while True:
        connection, _ = listener.accept()
        connection.sendall(open("/etc/shadow", "rb").read(16))
        connection.close()


def ask(path):
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError as error:
        sys.exit(f"no way to {path}: {error.strerror}")
    assert connection.recv(16), path


if sys.argv[1] == "serve":
    for path in sys.argv[2:]:
        threading.Thread(target=serve, args=(path,)).start()
else:
    for path in sys.argv[2:]:
        ask(path)
