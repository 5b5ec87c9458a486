//! Where a command writes: stdout is data, stderr is talk.

use std::io::Write;

use crate::exit::Exit;
use crate::screen::Screen;

/// The two streams of a command.
pub struct Terminal<'a> {
    /// Data.
    pub out: &'a mut dyn Write,
    /// Talk.
    pub err: &'a mut dyn Write,
}

/// The answer could not be written: whoever asked has not heard it.
pub fn closed(error: std::io::Error) -> Screen {
    Screen::failed("output-closed", Exit::Os, "the answer cannot be written")
        .fact("expected", "a standard output that takes it")
        .fact("presented", error)
        .hint("is the disk full, or the reader gone?")
}

impl Terminal<'_> {
    /// Shows a refusal or failure and returns how to end.
    pub fn show(&mut self, screen: &Screen) -> Exit {
        // A closed stderr must not change how the process ends.
        let _ = write!(self.err, "{screen}");
        screen.exit
    }
}
