# expect: denied
"""A ring submits calls that the filter never sees."""
import ctypes

from attempt import attack, system_call


@attack
def attempt():
    return f"descriptor {system_call('io_uring_setup', 4, ctypes.create_string_buffer(120))}"
