# expect: denied
"""file_setattr(2) (Linux 6.17) does what chattr does, without opening the file."""
import ctypes

from attempt import attack, PROTECTED, system_call


@attack
def attempt():
    system_call("file_setattr", -100, (PROTECTED + "/program").encode(), ctypes.create_string_buffer(24), 24, 0)
    return "set the flags"
