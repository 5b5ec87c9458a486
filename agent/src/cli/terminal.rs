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

impl Terminal<'_> {
    /// Shows a refusal or failure and returns how to end.
    pub fn show(&mut self, screen: &Screen) -> Exit {
        // A closed stderr must not change how the process ends.
        let _ = write!(self.err, "{screen}");
        screen.exit
    }
}
