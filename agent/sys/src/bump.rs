//! An allocator for a process that lives for a millisecond: nothing is ever given back.
//!
//! musl's allocator maps and unmaps pages for each size; the launcher's few dozen small allocations cost more system
//! calls so than opening the lock does.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Pages of it that are never touched cost nothing.
const ROOM: usize = 256 * 1024;
/// Every block begins and ends at a multiple of it.
const ALIGNMENT: usize = 16;

#[repr(align(16))]
struct Room(UnsafeCell<[u8; ROOM]>);

/// Hands out a fixed room once, then asks the system.
pub struct Bump {
    room: Room,
    used: AtomicUsize,
}

// SAFETY: bytes of the room are handed out once each, by an atomic counter; the room itself is never read here.
unsafe impl Sync for Bump {}

impl Bump {
    /// All of the room.
    pub const fn new() -> Self {
        Self { room: Room(UnsafeCell::new([0; ROOM])), used: AtomicUsize::new(0) }
    }

    /// From the end: its page is in use already, by what the C library keeps behind the room.
    #[inline(always)]
    fn take(&self, layout: Layout) -> Option<usize> {
        let length = layout.size().next_multiple_of(ALIGNMENT);
        // Asked first: what does not fit takes nothing of the room.
        let left = ROOM.checked_sub(self.used.load(Ordering::Relaxed))?;
        if length > left || layout.align() > ALIGNMENT {
            return None;
        }
        ROOM.checked_sub(self.used.fetch_add(length, Ordering::Relaxed) + length)
    }

    fn holds(&self, pointer: *mut u8) -> bool {
        (pointer as usize).wrapping_sub(self.room.0.get() as usize) < ROOM
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
        match self.take(layout) {
            // SAFETY: `start` and the block behind it are inside the room.
            Some(start) => unsafe { self.room.0.get().cast::<u8>().add(start) },
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
        for (size, align) in
            [(1, 1), (24, 8), (3, 1), (4096, 16), (100_000, 16), (100_000, 16), (100_000, 16), (7, 2), (64, 64), (ROOM + 1, 1)]
        {
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
        assert_eq!(outside, 3, "of three large blocks the room holds two, and none of what is finer aligned or larger than it");
    }
}
