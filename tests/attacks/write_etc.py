# expect: denied
"""Opens a system file for appending, and appends nothing."""
from attempt import attack


@attack
def attempt():
    with open("/etc/services", "ab"):
        return "opened /etc/services for appending"
