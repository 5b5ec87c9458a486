"""Adds a Landlock layer of its own that hides the canaries, then calls a covered program with an environment of its choice."""
import ctypes
import os
import struct
import sys

READ_FILE = 4
libc = ctypes.CDLL(None, use_errno=True)
# landlock_create_ruleset, landlock_add_rule, landlock_restrict_self: the same numbers on every architecture.
ruleset = libc.syscall(444, struct.pack("QQQ", READ_FILE, 0, 0), 24, 0)
for path in ["/usr", "/etc", "/lib", "/lib64", "/proc", "/run", "/dev", "/local_disk0", "/var/lib/longhorn/real"]:
    if os.path.isdir(path):
        parent = os.open(path, os.O_PATH)
        assert libc.syscall(445, ruleset, 1, struct.pack("=Qi", READ_FILE, parent), 0) == 0, path
assert libc.syscall(446, ruleset, 0) == 0
sys.stdout.flush()
os.execve("/usr/bin/perl", ["perl", "-e", "print $ENV{SMUGGLED}"], {"SMUGGLED": "1", "LONGHORN_SCOPE": "admin"})
