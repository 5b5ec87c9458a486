//! Launcher or agent: the number in this copy's own bytes decides, never `argv[0]`. Turns the outcome into an exit code.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use longhorn::cli::{command, terminal::Terminal};
use longhorn::host::clock::SystemClock;

#[global_allocator]
static HEAP: longhorn_sys::shelf::Shelf = longhorn_sys::shelf::Shelf::new();

fn main() -> ExitCode {
    let arguments = std::env::args_os().collect();
    let number = longhorn_sys::mark::number();
    if number != 0 {
        let screen = longhorn::launch::run(number, arguments, std::env::vars_os().collect(), &SystemClock);
        // A closed stderr must not change how the process ends.
        let _ = write!(std::io::stderr(), "{screen}");
        return screen.exit.into();
    }
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    command::run(arguments, &mut Terminal { out: &mut out, err: &mut err }).into()
}
