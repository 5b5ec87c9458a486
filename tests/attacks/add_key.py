# expect: denied
"""Puts a key where processes outside look for theirs."""
from attempt import attack, system_call


@attack
def attempt():
    return f"key {system_call('add_key', b'user', b'attack', b'x', 1, -2)}"  # KEY_SPEC_PROCESS_KEYRING
