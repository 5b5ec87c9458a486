//! Memory that is shared with a file.

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
