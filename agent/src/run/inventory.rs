//! What runs beside us when we start: for the record, not for a decision. Unlocked root on the node is inventoried, not
//! controlled. Bounded in files, bytes and time: what did not fit is counted.

mod digests;
mod files;
mod listeners;
mod processes;

use std::time::Duration;

use self::digests::Digests;
use crate::host::clock::Clock;
use crate::record::Event;

/// After that long nothing more is read: a slow disk does not keep a cluster from starting.
const MOST_TIME: Duration = Duration::from_secs(1);

/// Looks around. `agent` is the digest of the program that runs, as `init` placed it.
pub fn take(agent: &str, clock: &dyn Clock) -> Event {
    let mut digests = Digests::until(clock, clock.boot().plus(MOST_TIME));
    digests.know("/proc/self/exe", agent);
    // Small files first: what starts programs says more than how large they are.
    let init_scripts = ordered(files::init_scripts(&mut digests));
    let cron = ordered(files::cron(&mut digests));
    let units = ordered(files::units(&mut digests));
    let processes = ordered(processes::processes(&mut digests));
    let listeners = ordered(listeners::listeners());
    Event::Inventory { processes, listeners, units, cron, init_scripts, omitted: digests.omitted() }
}

fn ordered(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list.dedup();
    list
}
