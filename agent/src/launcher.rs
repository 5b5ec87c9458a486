//! The launcher and nothing else. Every cover is a copy of this with a number in its bytes.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), no_main)]

use std::ffi::OsString;
use std::io::Write;

use longhorn::host::clock::BriefClock;

#[global_allocator]
static HEAP: longhorn_sys::bump::Bump = longhorn_sys::bump::Bump::new();

#[cfg(not(test))]
longhorn_sys::start!(launch);

#[cfg_attr(test, expect(dead_code, reason = "a test harness has a main of its own"))]
fn launch(arguments: Vec<OsString>) -> u8 {
    let screen = longhorn::launch::run(longhorn_sys::mark::number(), arguments, std::env::vars_os().collect(), &BriefClock);
    // A closed stderr must not change how the process ends.
    longhorn_sys::start::outlive_readers();
    let _ = write!(std::io::stderr(), "{screen}");
    screen.exit.code()
}
