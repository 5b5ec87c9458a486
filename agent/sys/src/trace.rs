//! What system call a traced process is at: `PTRACE_GET_SYSCALL_INFO` (Linux 5.3), the same on every architecture.

use std::io;

/// `PTRACE_GET_SYSCALL_INFO` (linux/ptrace.h).
const GET_SYSCALL_INFO: libc::c_uint = 0x420e;

/// How 64-bit programs of this machine call the kernel (linux/audit.h).
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e; // AUDIT_ARCH_X86_64
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7; // AUDIT_ARCH_AARCH64
/// Where x32's numbers begin (asm/unistd.h); no other architecture has as many calls.
const X32: u64 = 0x4000_0000;

/// Where a process stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Before a call.
    Enter {
        /// Its number.
        number: u64,
        /// Its arguments.
        arguments: [u64; 6],
    },
    /// Before a call in another numbering than ours: a 32-bit program's, or x32.
    Foreign,
    /// After a call, with what it returned: negative is an error.
    Leave(i64),
    /// At no call.
    Elsewhere,
}

/// `struct ptrace_syscall_info` (linux/ptrace.h), its union as the seven words of its longest member but one.
#[repr(C)]
#[derive(Default)]
struct Information {
    op: u8,
    padding: [u8; 3],
    arch: u32,
    instruction: u64,
    stack: u64,
    words: [u64; 8],
}

/// Asks where a stopped tracee is.
///
/// # Errors
/// When it is no stopped tracee of ours, or the kernel does not know the request.
pub fn at(pid: i32) -> io::Result<At> {
    let mut information = Information::default();
    // SAFETY: the kernel writes at most the given size into a structure of ours that is that long and holds plain integers.
    let got = unsafe { libc::ptrace(GET_SYSCALL_INFO as _, pid, size_of::<Information>(), &raw mut information) };
    if got == -1 {
        return Err(io::Error::last_os_error());
    }
    let [number, a, b, c, d, e, f, _] = information.words;
    Ok(match information.op {
        1 if information.arch != NATIVE || number >= X32 => At::Foreign,
        1 => At::Enter { number, arguments: [a, b, c, d, e, f] },
        2 => At::Leave(number.cast_signed()),
        _ => At::Elsewhere,
    })
}
