//! Reads a document from disk: missing, unreadable, oversized and non-text are four different outcomes.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

use crate::exit::Exit;
use crate::screen::Screen;

/// No settings, policy or signature is larger.
pub const MOST: u64 = 1024 * 1024;

/// Reads at most [`MOST`] bytes.
///
/// # Errors
/// A screen that says which of missing, unreadable or oversized it is.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, Screen> {
    let unreadable = |error: std::io::Error| {
        let (reason, headline) = if error.kind() == std::io::ErrorKind::NotFound {
            ("file-missing", "a file that was named does not exist")
        } else {
            ("file-unreadable", "a file that was named cannot be read")
        };
        Screen::failed(reason, Exit::NoInput, headline)
            .fact("file", path.display())
            .fact("expected", "a regular file that can be read")
            .fact("presented", error)
            .hint("check the path and who may read it")
    };
    let mut bytes = Vec::new();
    // Not waiting: a FIFO that nobody writes to must not hang the start of a cluster. Opened first, then inspected.
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(unreadable(std::io::Error::other("not a regular file")));
    }
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST {
        return Err(Screen::failed("file-oversized", Exit::Config, "the document is larger than 1 MiB")
            .fact("file", path.display())
            .fact("expected", format!("at most {MOST} bytes"))
            .fact("presented", "more")
            .hint("this is not a document that Longhorn wrote or expects"));
    }
    Ok(bytes)
}

/// Bytes as text.
///
/// # Errors
/// When they are not UTF-8, or there are none.
pub fn as_text<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, Screen> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Screen::failed("file-not-text", Exit::Config, "the document is not UTF-8")
            .fact("file", path.display())
            .fact("expected", "UTF-8")
            .fact("presented", format!("another byte at {}", error.valid_up_to()))
            .hint("save it as UTF-8")
    })?;
    if text.trim().is_empty() {
        return Err(Screen::failed("file-empty", Exit::Config, "the document is empty")
            .fact("file", path.display())
            .fact("expected", "a document")
            .fact("presented", "nothing, or blanks alone")
            .hint("was it written to the end?"));
    }
    Ok(text)
}
