//! What a process is about to become.

use std::ffi::CStr;
use std::io;

/// Marks every descriptor from `first` up close-on-exec (close_range(2), Linux 5.11), so that an exec that fails still
/// has its standard streams and an exec that succeeds has nothing else.
///
/// # Errors
/// ENOSYS or EINVAL on older kernels.
pub fn close_on_exec_from(first: u32) -> io::Result<()> {
    // SAFETY: close_range with CLOSE_RANGE_CLOEXEC changes flags of descriptors and touches no memory.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Replaces this process. Returns only when it could not.
pub fn execute(program: &CStr, arguments: &[&CStr], environment: &[&CStr]) -> io::Error {
    let list = |strings: &[&CStr]| -> Vec<*const libc::c_char> {
        strings.iter().map(|one| one.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (arguments, environment) = (list(arguments), list(environment));
    // SAFETY: both lists end in a null pointer and every string is terminated and outlives the call.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// Lets this thread, and the threads and processes that it starts from now on, run without preempting whoever wakes it
/// (`SCHED_BATCH`, sched(7)): its share of the processor stays the same.
///
/// # Errors
/// When the kernel or a container's filter refuses.
pub fn never_preempt() -> io::Result<()> {
    // The kernel's `struct sched_param`: one int, 0 for this class.
    let priority: libc::c_int = 0;
    // SAFETY: the kernel reads one int that lives across the call. The system call itself: musl's function only refuses.
    let result = unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, libc::SCHED_BATCH, &raw const priority) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A record lock over a whole file (fcntl(2)), of kind `F_RDLCK` or `F_WRLCK`.
pub fn whole_file_lock(kind: libc::c_int) -> libc::flock {
    // SAFETY: `flock` is plain integers, for which zero is a value: from the start of the file, to its end.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as libc::c_short;
    lock
}
