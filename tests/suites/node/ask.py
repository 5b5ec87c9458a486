"""Asks the metadata service in one of the ways that lead to a TCP port: prints its first line, or why there is none."""
import errno
import socket
import struct
import sys

QUESTION = b"GET /latest/ HTTP/1.0\r\n\r\n"
MULTIPATH, FAST_OPEN_CONNECT = 262, 30
way, port = sys.argv[1], int(sys.argv[2])
address = ("169.254.169.254", port)
try:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, MULTIPATH if way == "multipath" else 0) as asked:
        # Blocking, with the kernel's own timeouts: data with the first packet is sent in one call.
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 5, 0))
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 5, 0))
        if way == "fast-open":
            asked.sendto(QUESTION, socket.MSG_FASTOPEN, address)
        else:
            if way == "deferred":
                asked.setsockopt(socket.IPPROTO_TCP, FAST_OPEN_CONNECT, 1)
            asked.connect(address)
            asked.sendall(QUESTION)
        print(asked.makefile("rb").readline().decode().strip())
except OSError as error:
    print(errno.errorcode.get(error.errno, str(error)))
