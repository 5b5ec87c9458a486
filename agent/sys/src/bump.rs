//! An allocator for a process that lives for a millisecond: nothing is ever given back.
//!
//! musl's allocator maps and unmaps pages for each size; the launcher's few dozen small allocations cost more system
//! calls so than opening the lock does.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Pages of it that are never touched cost nothing.
const ROOM: usize = 256 * 1024;

/// Hands out a fixed room once, then asks the system.
#[derive(Debug)]
pub struct Bump {
    room: UnsafeCell<[u8; ROOM]>,
    used: AtomicUsize,
}

// SAFETY: bytes of the room are handed out once each, by an atomic counter; the room itself is never read here.
unsafe impl Sync for Bump {}

impl Bump {
    /// All of the room.
    pub const fn new() -> Self {
        Self { room: UnsafeCell::new([0; ROOM]), used: AtomicUsize::new(0) }
    }

    fn holds(&self, pointer: *mut u8) -> bool {
        (pointer as usize).wrapping_sub(self.room.get() as usize) < ROOM
    }
}

impl Default for Bump {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: each block is aligned, inside the room, and disjoint from every other; what does not fit is the system's.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.room.get() as usize;
        let place = |used: usize| {
            let start = (base + used).next_multiple_of(layout.align()) - base;
            start.checked_add(layout.size()).filter(|end| *end <= ROOM).map(|end| (start, end))
        };
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| place(used).map(|(_, end)| end))
            .ok()
            .and_then(place);
        match taken {
            // SAFETY: `start` is inside the room.
            Some((start, _)) => unsafe { self.room.get().cast::<u8>().add(start) },
            // SAFETY: the caller's promise about the layout is passed on.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if !self.holds(pointer) {
            // SAFETY: it is not from the room, so it is the system's, with this layout.
            unsafe { System.dealloc(pointer, layout) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_and_apart_and_what_does_not_fit_is_the_systems() {
        let bump = Bump::new();
        let mut blocks: Vec<(usize, usize)> = Vec::new();
        for (size, align) in [(1, 1), (24, 8), (3, 1), (4096, 64), (100_000, 16), (100_000, 16), (100_000, 16), (7, 2)] {
            let layout = Layout::from_size_align(size, align).unwrap();
            // SAFETY: the layout has a size; the block is written within it and freed with it.
            let at = unsafe {
                let pointer = bump.alloc(layout);
                pointer.write_bytes(0xa5, size);
                pointer as usize
            };
            assert_eq!(at % align, 0, "{size}");
            assert!(blocks.iter().all(|(start, end)| at >= *end || at + size <= *start), "{size}");
            blocks.push((at, at + size));
        }
        let outside = blocks.iter().filter(|(start, _)| !bump.holds(*start as *mut u8)).count();
        assert_eq!(outside, 1, "of three large blocks the room holds two");
    }
}
