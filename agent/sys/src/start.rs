//! Starting without Rust's own runtime, which ignores SIGPIPE (a program that is executed then does so too, whatever its
//! caller said) and readies itself to tell of a stack that overflowed: a dozen system calls, in a process of a millisecond.

use std::ffi::{CStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStringExt;

/// Makes a function from the arguments to the exit code what this program does. For a binary that is `#![no_main]`.
#[macro_export]
macro_rules! start {
    ($run:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn main(count: core::ffi::c_int, arguments: *const *const core::ffi::c_char) -> core::ffi::c_int {
            $crate::start::streams_are_open();
            // SAFETY: the C library calls this once, with the arguments as the kernel laid them out (execve(2)).
            let arguments = unsafe { $crate::start::arguments(count, arguments) };
            let code: u8 = $run(arguments);
            code.into()
        }
    };
}

/// Opens what there is none of, so that nothing that is opened later is taken for a standard stream.
pub fn streams_are_open() {
    for stream in 0..=2 {
        // SAFETY: asks for the flags of a descriptor and touches no memory.
        let closed = unsafe { libc::fcntl(stream, libc::F_GETFD) } == -1;
        // SAFETY: the path is terminated; the lowest free descriptor, which this one is, becomes a stream that says nothing.
        if closed && unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) } != stream {
            std::process::abort();
        }
    }
}

/// The arguments of main as this process's own.
///
/// # Safety
/// `arguments` are `count` pointers to terminated strings.
pub unsafe fn arguments(count: c_int, arguments: *const *const c_char) -> Vec<OsString> {
    // SAFETY: the caller's promise; the strings are copied.
    let one = |at| unsafe { CStr::from_ptr(*arguments.add(at)) };
    (0..usize::try_from(count).unwrap_or(0)).map(|at| OsString::from_vec(one(at).to_bytes().to_vec())).collect()
}

/// From here on a reader that is gone ends this process, and what it becomes: as it is where nobody changed it. Rust's own
/// runtime did.
pub fn end_with_readers() {
    // SAFETY: the default action installs no code of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

/// From here on a reader that is gone makes a write fail instead of ending this process.
pub fn outlive_readers() {
    // SAFETY: ignoring a signal installs no code of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}
