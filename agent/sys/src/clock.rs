//! What time it is for the kernel.

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

/// `CLOCK_BOOTTIME` (clock_gettime(2)) by the system call itself: a process that asks once would find the kernel's own
/// code for it, and read that code's pages, for more than the call costs.
///
/// # Errors
/// EINVAL before Linux 2.6.39.
pub fn since_boot() -> io::Result<Duration> {
    // The kernel's `struct timespec`: seconds and nanoseconds, a word each.
    let mut at = MaybeUninit::<[u64; 2]>::uninit();
    // SAFETY: the kernel writes two words into room for two that lives across the call.
    if unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_BOOTTIME, at.as_mut_ptr()) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call came back without an error, so both words are written.
    let [seconds, nanoseconds] = unsafe { at.assume_init() };
    Ok(Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds))
}

/// Whether somebody keeps the wall clock right, as far as the kernel was told (adjtimex(2)).
///
/// # Errors
/// Where a filter denies the question.
pub fn kept() -> io::Result<bool> {
    // SAFETY: all zeroes is a valid `struct timex`, and `modes` of 0 asks and changes nothing; the kernel fills it in.
    let (state, clock) = unsafe {
        let mut clock: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut clock), clock)
    };
    if state == -1 { Err(io::Error::last_os_error()) } else { Ok(clock.status & libc::STA_UNSYNC == 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_kernel_says_of_itself() {
        let before = since_boot().unwrap();
        // proc_uptime(5): seconds since boot with two decimals, rounded down.
        let text = std::fs::read_to_string("/proc/uptime").unwrap();
        let said: f64 = text.split(' ').next().unwrap().parse().unwrap();
        let after = since_boot().unwrap();
        assert!(before.as_secs_f64() - 0.02 <= said && said <= after.as_secs_f64(), "{before:?} {said} {after:?}");
    }
}
