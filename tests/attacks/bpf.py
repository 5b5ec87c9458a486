# expect: denied
"""Loads into the kernel: a map, which asks for the same call."""
import ctypes
import struct

from attempt import attack, system_call


@attack
def attempt():
    # union bpf_attr for BPF_MAP_CREATE: type = ARRAY, key_size, value_size, max_entries
    attributes = ctypes.create_string_buffer(struct.pack("IIII", 2, 4, 8, 1), 72)
    return f"descriptor {system_call('bpf', 0, attributes, 72)}"
