//! `longhorn reach`: puts itself under the lock that `init` sealed, and says which ways lead from there to the metadata
//! service. Started by `init`, alone, before any job.

use std::path::Path;

use crate::cli::terminal::{Terminal, closed};
use crate::exit::Exit;
use crate::host::paths;
use crate::lock::reach::ways_to_metadata;
use crate::lock::sealed::SealedLock;
use crate::lock::{Place, apply};
use crate::screen::Screen;

/// One line for each way that is open.
pub fn run(terminal: &mut Terminal<'_>) -> Exit {
    match open_ways() {
        Ok(ways) => {
            let written = ways.iter().try_for_each(|way| writeln!(terminal.out, "{way}"));
            written.map_or_else(|error| terminal.show(&closed(error)), |()| Exit::Ok)
        }
        Err(screen) => terminal.show(&screen),
    }
}

fn open_ways() -> Result<Vec<String>, Screen> {
    let path = Path::new(paths::LOCK);
    let lock = SealedLock::open(path).map_err(|error| error.screen(path))?;
    // Held to the end of the process, which is what is tried.
    let _locked = apply(&lock, Place::Root).map_err(|error| Screen::failed_on_node("reach-failed", &error))?;
    ways_to_metadata().map_err(|error| Screen::failed_on_node("reach-failed", &error))
}
