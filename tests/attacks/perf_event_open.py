# expect: denied
"""Measures what every processor does."""
import ctypes
import struct

from attempt import attack, system_call


@attack
def attempt():
    # struct perf_event_attr: type = SOFTWARE, size = 112, config = CPU_CLOCK; all processes of processor 0
    attributes = ctypes.create_string_buffer(struct.pack("IIQ", 1, 112, 0), 112)
    return f"descriptor {system_call('perf_event_open', attributes, -1, 0, -1, 0)}"
