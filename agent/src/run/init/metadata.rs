//! Whether the metadata service is closed to jobs: tried from inside the lock, as a process of this very program that puts
//! itself under the sealed lock first. What no try has shown is not believed of any firewall.

use std::io;
use std::process::{Command, Stdio};

use super::failed;
use crate::decision::IMDS_OPEN;
use crate::decision::environment::MetadataService;
use crate::exit::Exit;
use crate::host::paths;
use crate::screen::Screen;

/// Tries, from inside the lock that was just sealed.
pub(super) fn closed(how: MetadataService) -> Result<(), Screen> {
    let cannot = |cause: io::Error| failed("cannot try from inside the lock whether the metadata service is closed", cause);
    let tried = Command::new(paths::BINARY).arg("reach").env_clear().stdin(Stdio::null()).output().map_err(cannot)?;
    let said = String::from_utf8_lossy(&tried.stdout);
    if !tried.status.success() {
        let why = String::from_utf8_lossy(&tried.stderr);
        return Err(cannot(io::Error::other(why.lines().next().unwrap_or("it ended without a word").to_owned())));
    }
    let ways: Vec<&str> = said.lines().collect();
    if ways.is_empty() { Ok(()) } else { Err(open(how, &ways.join(", "))) }
}

fn open(how: MetadataService, ways: &str) -> Screen {
    Screen::refused(IMDS_OPEN, Exit::RefusedFloor, "jobs on this node could ask the cloud's metadata service")
        .fact("expected", format!("no way to it from inside the lock (metadata-service = \"{}\")", how.word()))
        .fact("presented", ways)
        .hint(match how {
            MetadataService::ClosedElsewhere => {
                "the firewall that should close it does not; or let the lock close it: metadata-service = \"closed\""
            }
            MetadataService::Open | MetadataService::Closed => {
                "something on this node leads around the lock, such as a redirection of ports: `longhorn doctor` shows more"
            }
        })
}
