//! Reads a document from disk: missing, unreadable, oversized and non-text are four different outcomes.
//!
//! Settings and policies end a command as what is set up wrongly (78), documents that are handed in as such (65).

use std::io::Read;
use std::path::Path;

use crate::exit::Exit;
use crate::host::named;
use crate::screen::Screen;

/// No settings, policy or signature is larger.
pub const MOST: u64 = 1024 * 1024;

/// Settings, a policy or its signature: at most [`MOST`] bytes.
///
/// # Errors
/// A screen that says which of missing, unreadable or oversized it is.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, Screen> {
    read(path, MOST, Exit::Config)
}

/// A document that is handed in, such as a key or a context: at most [`MOST`] bytes.
///
/// # Errors
/// As [`read_bytes`].
pub fn read_data(path: &Path) -> Result<Vec<u8>, Screen> {
    read(path, MOST, Exit::Data)
}

/// The same of at most so many bytes.
///
/// # Errors
/// As [`read_bytes`].
pub fn read_data_within(path: &Path, most: u64) -> Result<Vec<u8>, Screen> {
    read(path, most, Exit::Data)
}

fn read(path: &Path, most: u64, unfit: Exit) -> Result<Vec<u8>, Screen> {
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
    let file = named::open(path).map_err(unreadable)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        let headline = format!("the document is larger than {} MiB", most / (1024 * 1024));
        return Err(Screen::failed("file-oversized", unfit, headline)
            .fact("file", path.display())
            .fact("expected", format!("at most {most} bytes"))
            .fact("presented", "more")
            .hint("this is not a document that Longhorn wrote or expects"));
    }
    Ok(bytes)
}

/// Settings, a policy or its signature as text.
///
/// # Errors
/// When they are not UTF-8, or there are none.
pub fn as_text<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, Screen> {
    text(path, bytes, Exit::Config)
}

/// A document that is handed in, as text.
///
/// # Errors
/// As [`as_text`].
pub fn data_as_text<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, Screen> {
    text(path, bytes, Exit::Data)
}

fn text<'a>(path: &Path, bytes: &'a [u8], unfit: Exit) -> Result<&'a str, Screen> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Screen::failed("file-not-text", unfit, "the document is not UTF-8")
            .fact("file", path.display())
            .fact("expected", "UTF-8")
            .fact("presented", format!("another byte at {}", error.valid_up_to()))
            .hint("save it as UTF-8")
    })?;
    if text.trim().is_empty() {
        return Err(Screen::failed("file-empty", unfit, "the document is empty")
            .fact("file", path.display())
            .fact("expected", "a document")
            .fact("presented", "nothing, or blanks alone")
            .hint("was it written to the end?"));
    }
    Ok(text)
}
