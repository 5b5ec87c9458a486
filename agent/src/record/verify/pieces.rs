//! A file of a log in pieces of bounded size, cut between lines. However large the file or a line of it is, no more of it
//! is in memory than a piece.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::record::line::MOST;

/// Bytes of a piece: many lines of the longest kind, and still within a core's own cache.
pub const PIECE: usize = 128 * 1024;
const _: () = assert!(PIECE > 2 * MOST);

/// What comes next in a file.
pub enum Piece<'a> {
    /// One byte of no matter, then whole lines with their line feeds.
    Lines(&'a mut [u8]),
    /// Its end, with that many bytes behind the last line feed.
    End(u64),
    /// One line of that many bytes, too many.
    TooLong(u64),
}

/// A file, as far as it was read.
pub struct Pieces {
    file: File,
    buffer: Vec<u8>,
    /// The beginning of a line whose end was not read yet: it stands from here to `end`.
    begun: usize,
    end: usize,
}

impl Pieces {
    /// From the beginning of a file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, buffer: vec![0; PIECE], begun: 1, end: 1 })
    }

    /// The next piece.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next(&mut self) -> io::Result<Piece<'_>> {
        self.buffer.copy_within(self.begun..self.end, 1);
        let mut end = 1 + self.end - self.begun;
        let mut more = 1;
        while more > 0 && end < PIECE {
            more = read(&mut self.file, &mut self.buffer[end..])?;
            end += more;
        }
        (self.begun, self.end) = (end, end);
        match memchr::memrchr(b'\n', &self.buffer[1..end]) {
            Some(last) => {
                self.begun = last + 2;
                Ok(Piece::Lines(&mut self.buffer[..last + 2]))
            }
            None if more == 0 => Ok(Piece::End(end as u64 - 1)),
            None => self.measure(),
        }
    }

    /// The length of a line that fills the buffer and goes on.
    fn measure(&mut self) -> io::Result<Piece<'_>> {
        let mut length = self.end as u64 - 1;
        loop {
            let more = read(&mut self.file, &mut self.buffer)?;
            match memchr::memchr(b'\n', &self.buffer[..more]) {
                Some(end) => return Ok(Piece::TooLong(length + end as u64)),
                None if more == 0 => return Ok(Piece::End(length)),
                None => length += more as u64,
            }
        }
    }
}

fn read(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
