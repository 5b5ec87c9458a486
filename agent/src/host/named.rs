//! The one way to open a file that somebody named: a regular file, and no waiting for anybody who might write to it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// Opened first, then inspected: a FIFO that nobody writes to hangs neither a command nor the start of a cluster.
///
/// # Errors
/// When it cannot be opened, or is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
}

/// All of one.
///
/// # Errors
/// The same, and when it is longer than `most` bytes.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_file_is_opened_and_nothing_else_is_waited_for() {
        let place = std::env::temp_dir().join(format!("longhorn-named-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        let (file, fifo, link) = (place.join("file"), place.join("fifo"), place.join("link"));
        std::fs::write(&file, "a").unwrap();
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        assert!(open(&file).is_ok());
        assert_eq!(read(&file, 1).unwrap(), b"a");
        assert_eq!(read(&file, 0).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        for other in [&fifo, &link, &place, Path::new("/dev/null")] {
            assert_eq!(open(other).unwrap_err().to_string(), "not a regular file", "{}", other.display());
        }
        std::fs::remove_dir_all(&place).unwrap();
    }
}
