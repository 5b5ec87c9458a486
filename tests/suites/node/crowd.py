"""Opens every connection that the sidecar gives, from many processes, sends nothing, and opens each that ends anew."""
import os
import select
import socket
import time

for _ in range(12):
    if os.fork() == 0:
        break
held = []
until = time.monotonic() + 60
while time.monotonic() < until:
    ended, _, _ = select.select(held, [], [], 0.01)
    for one in ended:
        held.remove(one)
        one.close()
    try:
        while len(held) < 60:
            one = socket.socket(socket.AF_UNIX)
            one.settimeout(0.2)
            one.connect("/run/longhorn/sock/api")
            held.append(one)
    except OSError:
        pass
    with open(f"/local_disk0/crowded.{os.getpid()}", "w"):
        pass
