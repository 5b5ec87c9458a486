# expect: denied
"""Reaches for disk quotas: only a sync of all of them."""
from attempt import attack, system_call


@attack
def attempt():
    system_call("quotactl", 0x800001 << 8, None, 0, None)  # Q_SYNC, USRQUOTA
    return "synced them"
