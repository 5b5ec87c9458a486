# expect: denied
"""Gives the machine another domain: none."""
from attempt import attack, call


@attack
def attempt():
    call("setdomainname", b"(none)", 6)
    return "named it"
