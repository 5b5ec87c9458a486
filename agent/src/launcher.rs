//! The launcher and nothing else. Every cover is a copy of this with a number in its bytes.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use longhorn::host::clock::SystemClock;

#[global_allocator]
static HEAP: longhorn_sys::bump::Bump = longhorn_sys::bump::Bump::new();

fn main() -> ExitCode {
    let number = longhorn_sys::mark::number();
    let screen = longhorn::launch::run(number, std::env::args_os().collect(), std::env::vars_os().collect(), &SystemClock);
    // A closed stderr must not change how the process ends.
    let _ = write!(std::io::stderr(), "{screen}");
    screen.exit.into()
}
