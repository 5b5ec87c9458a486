"""What attacks share. An attack prints `succeeded: …`, `denied: ERRNO` or `impossible: …` and ends; anything else is a
broken attack and shows as a traceback."""
import ctypes
import errno
import os
import platform
import sys

PROTECTED = "/opt/attack-protected"
SECRET = PROTECTED + "/secret"
WORK = "/local_disk0/attack"
SECRET_TEXT = b"attack-secret\n"
ENVIRONMENT_MARK = b"ATTACK_VICTIM=attack-secret"
ARM = platform.machine() == "aarch64"
libc = ctypes.CDLL(None, use_errno=True)

# asm-generic numbers are the same everywhere from 424 on; below, x86_64 and aarch64 differ.
NUMBERS = {
    "acct": (163, 89), "add_key": (248, 217), "bpf": (321, 280), "delete_module": (176, 106), "fanotify_init": (300, 262),
    "file_setattr": (469, 469), "finit_module": (313, 273), "clone3": (435, 435), "fsopen": (430, 430),
    "io_uring_setup": (425, 425), "ioprio_set": (251, 30), "kcmp": (312, 272), "kexec_load": (246, 104),
    "keyctl": (250, 219), "mount_setattr": (442, 442), "move_mount": (429, 429), "move_pages": (279, 239),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "open_tree_attr": (467, 467), "perf_event_open": (298, 241), "pidfd_getfd": (438, 438), "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424), "pivot_root": (155, 41), "process_madvise": (440, 440),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "quotactl": (179, 60), "reboot": (169, 142),
    "request_key": (249, 218), "rt_sigqueueinfo": (129, 138), "swapoff": (168, 225), "swapon": (167, 224),
    "syslog": (103, 116), "tgkill": (234, 131), "userfaultfd": (323, 282),
}


class Impossible(Exception):
    """This machine cannot even be asked."""


def attack(attempt):
    """Runs the attack at once."""
    try:
        print("succeeded:", attempt())
    except Impossible as error:
        print("impossible:", error)
    except OSError as error:
        print("denied:", errno.errorcode.get(error.errno, str(error)))
    return attempt


def check(result):
    """A C call's answer, as an exception where it is an error."""
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def call(name, *arguments):
    """A function of the C library."""
    function = getattr(libc, name)
    function.restype = ctypes.c_long if name in ("ptrace", "syscall") else ctypes.c_int
    return check(function(*arguments))


def system_call(name, *arguments):
    """A system call by its number: what user code does where the C library offers nothing."""
    libc.syscall.restype = ctypes.c_long
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return check(libc.syscall(ctypes.c_long(NUMBERS[name][ARM]), *wide))


def gate(name, *arguments, past=(errno.EINVAL,)):
    """A call that must not take effect even unlocked: it passed when it failed at its arguments."""
    try:
        system_call(name, *arguments)
    except OSError as error:
        if error.errno not in past:
            raise
    return f"{name} passed the permission check and failed at its argument"


def found(data, mark=b"attack-secret"):
    """Bytes that hold what nobody may read."""
    if mark not in data:
        raise OSError(errno.ENODATA, "it is not there")
    return f"the secret, in {len(data)} bytes"


def read(path, mark=b"attack-secret"):
    """A file that holds what nobody may read."""
    with open(path, "rb", buffering=0) as file:
        return found(file.read(), mark)


def in_child(attempt):
    """Attempts in a child, for what would change this process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 0
        try:
            attempt()
        except OSError as error:
            code = error.errno
        os.write(writer, code.to_bytes(4, "little"))
        os._exit(0)
    os.close(writer)
    answer = os.read(reader, 4)
    _, status = os.waitpid(child, 0)
    if len(answer) < 4:
        # Killed by the filter, or by the kernel for a call that it does not have.
        raise OSError(errno.EPERM if os.WTERMSIG(status) == 31 else errno.ENOSYS, "the child was killed")
    code = int.from_bytes(answer, "little")
    if code:
        raise OSError(code, os.strerror(code))


def victim():
    """A process outside of the lock."""
    return int(sys.argv[1])


def other_uid():
    """The uid that the sidecar has."""
    return int(sys.argv[2])


def closed_port():
    """A deputy outside of the lock, on the port that the policy closes; at an address of its own."""
    port = int(sys.argv[3])
    return f"127.1.{port >> 8}.{port & 255}", 80
