# expect: denied
"""The 32-bit gate into the kernel (int 0x80), where the numbers mean other calls."""
import ctypes
import mmap

from attempt import attack, Impossible, ARM, in_child, libc


@attack
def attempt():
    if ARM:
        raise Impossible("no such gate on this architecture")

    def attempt_in_child():
        # mov eax, 20 (getpid); int 0x80; ret
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(bytes.fromhex("b814000000cd80c3"))
        address = ctypes.addressof(ctypes.c_char.from_buffer(code))
        answer = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        if answer < 0:
            raise OSError(-answer, "refused")

    in_child(attempt_in_child)
    return "answered"
