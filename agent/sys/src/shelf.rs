//! An allocator for a process that does the same again and again: a block that is given back lies ready for whoever asks for as much
//! next, and the system is asked for what is not there.
//!
//! musl's allocator gives pages back with the last block in them, and maps them anew for the next one: a request through the gateway
//! costs seven system calls so, and as many page faults. What lies ready is bounded, so that a process at rest stays small.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

/// Every block begins at a multiple of it.
const ALIGNMENT: usize = 16;
/// Up to here one size in every 16 bytes; beyond, four in every doubling.
const FINE: usize = 128;
/// Larger blocks are the system's, in bytes.
const LARGEST: usize = 64 * 1024;
const SIZES: usize = FINE / ALIGNMENT + 4 * (LARGEST / FINE).ilog2() as usize;
/// No more lies ready, in bytes.
const MOST: usize = 128 * 1024;

/// A block that lies ready: its first bytes say which is next.
struct Free(*mut Free);

struct Shelves {
    first: [*mut Free; SIZES],
    kept: usize,
}

/// Blocks that lie ready, by size; else the system's.
pub struct Shelf {
    shelves: UnsafeCell<Shelves>,
    busy: AtomicBool,
}

// SAFETY: the shelves are reached by `with` alone, and by one thread at a time there; blocks belong to no thread.
unsafe impl Sync for Shelf {}

impl Shelf {
    /// Nothing lies ready.
    pub const fn new() -> Self {
        let shelves = Shelves { first: [null_mut(); SIZES], kept: 0 };
        Self { shelves: UnsafeCell::new(shelves), busy: AtomicBool::new(false) }
    }

    /// The shelves; `None` while another thread is there, or was when this process was forked off: nobody waits.
    fn with<T>(&self, look: impl FnOnce(&mut Shelves) -> T) -> Option<T> {
        if self.busy.swap(true, Ordering::Acquire) {
            return None;
        }
        // SAFETY: only the thread that found nobody here is here, until it says that it has gone; `look` allocates nothing.
        let found = look(unsafe { &mut *self.shelves.get() });
        self.busy.store(false, Ordering::Release);
        Some(found)
    }

    fn take(&self, size: Size) -> Option<*mut u8> {
        let taken = self.with(|shelves| {
            let block = shelves.first[size.number];
            if !block.is_null() {
                // SAFETY: what lies on a shelf was given back, nobody else has it, and `put` wrote what is next.
                shelves.first[size.number] = unsafe { (*block).0 };
                shelves.kept -= size.bytes;
            }
            block
        });
        taken.filter(|block| !block.is_null()).map(<*mut Free>::cast)
    }

    /// Whether there was room for it.
    ///
    /// # Safety
    /// The block is of this size, the caller's alone, and from then on nobody's.
    unsafe fn put(&self, block: *mut u8, size: Size) -> bool {
        let block = block.cast::<Free>();
        let put = self.with(|shelves| {
            let room = shelves.kept + size.bytes <= MOST;
            if room {
                // SAFETY: it is the caller's alone, aligned, and no size is smaller than a pointer.
                unsafe { block.write(Free(shelves.first[size.number])) };
                shelves.first[size.number] = block;
                shelves.kept += size.bytes;
            }
            room
        });
        put == Some(true)
    }
}

impl Default for Shelf {
    fn default() -> Self {
        Self::new()
    }
}

/// One of the sizes that blocks are rounded up to.
#[derive(Clone, Copy)]
struct Size {
    number: usize,
    bytes: usize,
}

impl Size {
    /// `None` for what is the system's alone.
    #[inline]
    fn of(layout: Layout) -> Option<Self> {
        let size = layout.size();
        if size > LARGEST || layout.align() > ALIGNMENT {
            return None;
        }
        if size <= FINE {
            let number = size.saturating_sub(1) / ALIGNMENT;
            return Some(Self { number, bytes: (number + 1) * ALIGNMENT });
        }
        // Of the doubling that the last byte is in, the quarter.
        let doubling = (size - 1).ilog2();
        let quarter = (size - 1) >> (doubling - 2);
        let number = FINE / ALIGNMENT + 4 * (doubling - FINE.ilog2()) as usize + (quarter - 4);
        Some(Self { number, bytes: (quarter + 1) << (doubling - 2) })
    }

    fn layout(self) -> Layout {
        // SAFETY: the alignment is a power of two, and no size is near the end of the address space.
        unsafe { Layout::from_size_align_unchecked(self.bytes, ALIGNMENT) }
    }
}

// SAFETY: a block is the system's, of its size and alignment rounded up; one that was given back has one new owner at most.
unsafe impl GlobalAlloc for Shelf {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match Size::of(layout) {
            // SAFETY: no size is zero.
            Some(size) => self.take(size).unwrap_or_else(|| unsafe { System.alloc(size.layout()) }),
            // SAFETY: the caller's promise about the layout is passed on.
            None => unsafe { System.alloc(layout) },
        }
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if Size::of(layout).is_none() {
            // SAFETY: as above. Fresh pages of the kernel are zero and need not be touched.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: as above.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: the block is at least that long.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match Size::of(layout) {
            // SAFETY: it was allocated with this layout, so with this size, and the caller gives it back.
            Some(size) if unsafe { self.put(block, size) } => {}
            // SAFETY: it is the system's, with the layout of its size.
            Some(size) => unsafe { System.dealloc(block, size.layout()) },
            // SAFETY: it is the system's, with this layout.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the new size does not overflow, and the alignment was one before.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (Size::of(layout), Size::of(wanted)) {
            (Some(one), Some(other)) if one.number == other.number => block,
            // SAFETY: it is the system's, with this layout. Pages are moved and not copied.
            (None, None) => unsafe { System.realloc(block, layout, size) },
            _ => {
                // SAFETY: the caller's promise about the layout is passed on.
                let moved = unsafe { self.alloc(wanted) };
                if !moved.is_null() {
                    // SAFETY: both blocks are at least that long, and apart; the old one is the caller's to give back.
                    unsafe {
                        moved.copy_from_nonoverlapping(block, layout.size().min(size));
                        self.dealloc(block, layout);
                    }
                }
                moved
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    #[test]
    fn sizes_are_rounded_up_by_a_quarter_at_most_and_each_has_a_shelf() {
        let mut last = Size { number: 0, bytes: ALIGNMENT };
        for bytes in 1..=LARGEST {
            let size = Size::of(layout(bytes)).unwrap();
            assert!(size.bytes >= bytes && (bytes <= FINE || size.bytes * 4 <= bytes * 5 + 4), "{bytes}: {}", size.bytes);
            assert_eq!(size.bytes % ALIGNMENT, 0, "{bytes}");
            assert!(size.number == last.number && size.bytes == last.bytes || size.number == last.number + 1, "{bytes}");
            last = size;
        }
        assert_eq!((last.number, last.bytes), (SIZES - 1, LARGEST));
        assert!(Size::of(layout(LARGEST + 1)).is_none());
        assert!(Size::of(Layout::from_size_align(64, 32).unwrap()).is_none());
    }

    #[test]
    fn what_is_given_back_is_handed_out_again_and_no_more_than_fits_lies_ready() {
        let shelf = Shelf::new();
        let kept = || shelf.with(|shelves| shelves.kept).unwrap();
        // SAFETY: every block is written within its layout and given back once with it.
        unsafe {
            let one = shelf.alloc(layout(4000));
            shelf.dealloc(one, layout(4000));
            assert_eq!(kept(), 4096);
            let again = shelf.alloc(layout(3900));
            assert_eq!((again, kept()), (one, 0));
            again.write_bytes(0xa5, 3900);
            let grown = shelf.realloc(again, layout(3900), 4096);
            assert_eq!(grown, one, "it has room already");
            let moved = shelf.realloc(grown, layout(4096), 100_000);
            assert!(moved != one && (0..3900).all(|at| *moved.add(at) == 0xa5));
            shelf.dealloc(moved, layout(100_000));
            assert_eq!(kept(), 4096, "what is larger is the system's");
            let zeroed = shelf.alloc_zeroed(layout(4096));
            assert!(zeroed == one && (0..4096).all(|at| *zeroed.add(at) == 0));
            shelf.dealloc(zeroed, layout(4096));
            let many: Vec<*mut u8> = (0..9).map(|_| shelf.alloc(layout(60_000))).collect();
            for block in many {
                shelf.dealloc(block, layout(60_000));
            }
            assert!(kept() <= MOST && kept() > MOST - LARGEST, "{}", kept());
        }
    }

    #[test]
    fn threads_never_hold_one_block_together() {
        let shelf = Shelf::new();
        std::thread::scope(|scope| {
            for mark in 1..=4u8 {
                let shelf = &shelf;
                scope.spawn(move || {
                    for round in 0..20_000usize {
                        let layout = layout(16 + round % 3000);
                        // SAFETY: the block is written and read within its layout and given back once with it.
                        unsafe {
                            let block = shelf.alloc(layout);
                            block.write_bytes(mark, layout.size());
                            std::thread::yield_now();
                            assert!((0..layout.size()).all(|at| *block.add(at) == mark));
                            shelf.dealloc(block, layout);
                        }
                    }
                });
            }
        });
    }
}
