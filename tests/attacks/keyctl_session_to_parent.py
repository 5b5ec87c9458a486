# expect: denied
"""On kernels before the fix of CVE-2024-42318 this removes a Landlock domain."""
from attempt import attack, in_child, system_call


@attack
def attempt():
    def attempt_in_child():
        system_call("keyctl", 1, None)  # KEYCTL_JOIN_SESSION_KEYRING
        system_call("keyctl", 18)  # KEYCTL_SESSION_TO_PARENT

    in_child(attempt_in_child)
    return "the parent's credentials were replaced"
