# expect: denied
"""chattr +i on a file that may be read: no rule covers ioctls of regular files."""
import fcntl
import os
import struct

from attempt import attack


@attack
def attempt():
    file = os.open("/etc/passwd", os.O_RDONLY)
    get, put, immutable = 0x80086601, 0x40086602, 0x10  # FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL
    flags = struct.unpack("l", fcntl.ioctl(file, get, bytes(8)))[0]
    fcntl.ioctl(file, put, struct.pack("l", flags | immutable))
    fcntl.ioctl(file, put, struct.pack("l", flags & ~immutable))
    return "set the immutable flag"
