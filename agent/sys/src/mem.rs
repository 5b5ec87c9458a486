//! Memory that is shared with a file, and the memory of a process's own code.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// A shared, writable mapping of the beginning of a file.
#[derive(Debug)]
pub struct SharedMap {
    start: *mut u8,
    length: usize,
}

impl SharedMap {
    /// Maps the first `length` bytes, which the file must have.
    ///
    /// # Errors
    /// When the file is shorter, or the kernel refuses.
    pub fn new(file: &File, length: usize) -> io::Result<Self> {
        if file.metadata()?.len() < length as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // SAFETY: a new mapping at an address of the kernel's choice aliases nothing of ours; the result is checked.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start: start.cast(), length })
    }

    fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8) && offset + 8 <= self.length, "an aligned word inside the mapping");
        // SAFETY: the assertion keeps the word inside the mapping, which lives as long as `self`; mappings begin on a
        // page, so the word is aligned; every access goes through this atomic.
        unsafe { AtomicU64::from_ptr(self.start.add(offset).cast()) }
    }

    /// Stores a little-endian word with one aligned store: readers see the old one or the new one.
    pub fn store_u64(&mut self, offset: usize, value: u64) {
        self.word(offset).store(value.to_le(), Ordering::Release);
    }

    /// Loads a little-endian word.
    pub fn load_u64(&self, offset: usize) -> u64 {
        u64::from_le(self.word(offset).load(Ordering::Acquire))
    }
}

impl Drop for SharedMap {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping that `new` made; no reference into it outlives `self`.
        unsafe { libc::munmap(self.start.cast(), self.length) };
    }
}

/// Gives the pages of this program's code back; those that are needed again are read from the file again. What starting up
/// needed stays resident otherwise for as long as the process lives.
///
/// # Errors
/// When the kernel does not say where the code lies, or refuses.
pub fn release_code() -> io::Result<()> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let here = release_code as *const () as usize;
    let (start, length) = maps.lines().find_map(|line| code(line, here)).ok_or(io::ErrorKind::NotFound)?;
    // SAFETY: the kernel says that this mapping, which holds this very function, is executable and not writable: nothing in
    // it differs from the file, so that every page is the same when it is read again.
    match unsafe { libc::madvise(std::ptr::with_exposed_provenance_mut(start), length, libc::MADV_DONTNEED) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The executable mapping around an address, if this line of `/proc/self/maps` is it (proc_pid_maps(5)).
fn code(line: &str, here: usize) -> Option<(usize, usize)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    ((start..end).contains(&here) && rest.starts_with("r-xp ")).then_some((start, end - start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resident() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let of = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        of("RssFile:") + of("RssShmem:")
    }

    #[test]
    fn code_that_was_given_back_is_resident_no_more_and_runs_again() {
        let before = resident();
        release_code().unwrap();
        assert!(resident() < before, "{} KiB, before {before}", resident());
        assert_eq!(code("10-20 rw-p 0 0", 0x11), None);
        assert_eq!(code("10-20 r-xp 0 0", 0x20), None);
        assert_eq!(code("10-20 r-xp 0 0", 0x11), Some((0x10, 0x10)));
    }
}
