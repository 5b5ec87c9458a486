# expect: denied
"""Makes a process outside the first that the kernel kills for memory."""
from attempt import attack, victim


@attack
def attempt():
    with open(f"/proc/{victim()}/oom_score_adj", "w") as file:
        file.write("1000")
    return "it is the first to go"
