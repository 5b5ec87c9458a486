//! The mark that tells one copy of this binary from another.
//!
//! A covered program is a copy of the binary with a number written into [`MARK`]. The number travels with the bytes, so
//! a copy of a copy (`python -m venv --copies`) still knows what it stands for, whatever `argv[0]` says.

const MAGIC_LENGTH: usize = 24;

#[used]
static MARK: [u8; 32] = *b"longhorn target mark v1:\0\0\0\0\0\0\0\0";

fn read() -> [u8; 32] {
    // SAFETY: a static of plain bytes; volatile, because the bytes in the file may have been patched after compiling.
    unsafe { std::ptr::read_volatile(&raw const MARK) }
}

/// The number that this copy carries; 0 is the agent itself.
pub fn number() -> u32 {
    let mark = read();
    u32::from_le_bytes([mark[24], mark[25], mark[26], mark[27]])
}

/// Where the number lies in the bytes of a binary of this build; `None` unless the mark is there exactly once.
pub fn place_in(binary: &[u8]) -> Option<std::ops::Range<usize>> {
    // Taken from the static itself, so that the binary holds no second copy.
    let mark = read();
    let magic = &mark[..MAGIC_LENGTH];
    let mut found = binary.windows(MAGIC_LENGTH).enumerate().filter(|(_, window)| *window == magic).map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(at), None) => Some(at + MAGIC_LENGTH..at + MAGIC_LENGTH + 4),
        _ => None,
    }
}
