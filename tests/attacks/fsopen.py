# expect: denied
"""A file system of its own, by the newer calls."""
from attempt import attack, system_call


@attack
def attempt():
    return f"descriptor {system_call('fsopen', b'tmpfs', 0)}"
