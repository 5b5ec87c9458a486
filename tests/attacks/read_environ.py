# expect: denied
"""The environment of a process outside (CAP_PERFMON and CAP_SYS_ADMIN show it on Linux 6.15 and later)."""
from attempt import attack, ENVIRONMENT_MARK, read, victim


@attack
def attempt():
    return read(f"/proc/{victim()}/environ", ENVIRONMENT_MARK)
