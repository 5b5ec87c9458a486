# expect: open
"""A program in anonymous memory has no path that a rule could deny (vm.memfd_noexec = 2 would)."""
import os
import subprocess

from attempt import attack


@attack
def attempt():
    program = os.memfd_create("program", 0)
    with open("/bin/true", "rb") as file:
        os.write(program, file.read())
    subprocess.run([f"/proc/self/fd/{program}"], pass_fds=[program], check=True)
    return "it ran"
