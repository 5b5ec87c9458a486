# expect: open
"""Turns address randomisation off for what this process executes: it concerns nobody else."""
from attempt import attack, call


@attack
def attempt():
    call("personality", 0x0040000)  # ADDR_NO_RANDOMIZE
    return "no randomisation"
