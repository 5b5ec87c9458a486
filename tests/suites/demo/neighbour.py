"""A process beside the lock, of the same user, that defends itself against nothing: it holds a secret in its memory and its
environment, lets everybody trace it, and tells whoever connects. Prints a line once it is ready; ends with its input."""
import ctypes
import os
import socket
import sys
import threading

SECRET = ctypes.create_string_buffer(b"agent-secret")
PR_SET_PTRACER, ANYBODY = 0x59616D61, ctypes.c_ulong(-1)
ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
listener = socket.socket(socket.AF_UNIX)
listener.bind(f"\0longhorn-demo-{os.getpid()}")
listener.listen()


def deputy():
    while True:
        with listener.accept()[0] as connection:
            connection.sendall(SECRET.value)


threading.Thread(target=deputy, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
