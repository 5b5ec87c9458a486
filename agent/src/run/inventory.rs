//! What runs beside us when we start: for the record, not for a decision. Unlocked root on the node is inventoried, not
//! controlled.

use std::fs;
use std::path::Path;

use super::listeners::listeners;
use crate::host::digest::sha256_hex;
use crate::record::Event;

/// Files are digested up to this size.
const MOST: u64 = 1024 * 1024;
const MOST_ENTRIES: usize = 64;

/// Looks around.
pub fn take() -> Event {
    let mut omitted = 0;
    let mut bounded = |mut list: Vec<String>| {
        list.sort();
        list.dedup();
        omitted += u32::try_from(list.len().saturating_sub(MOST_ENTRIES)).unwrap_or(u32::MAX);
        list.truncate(MOST_ENTRIES);
        list
    };
    let processes = bounded(processes());
    let listeners = bounded(listeners().iter().map(|port| format!("tcp {port}")).collect());
    let units = bounded(digests(&["/etc/systemd/system", "/etc/cron.d", "/etc/cron.daily", "/var/spool/cron/crontabs"]));
    let init_scripts = bounded(digests(&["/databricks/init_scripts", "/etc/init.d"]));
    Event::Inventory { processes, listeners, units, init_scripts, omitted }
}

/// Names only: arguments may hold secrets.
fn processes() -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let running = entries.filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()));
    running.filter_map(|entry| fs::read_to_string(entry.path().join("comm")).ok()).map(|name| name.trim().to_owned()).collect()
}

fn digests(directories: &[&str]) -> Vec<String> {
    let files = directories.iter().flat_map(|directory| fs::read_dir(directory).into_iter().flatten()).filter_map(Result::ok);
    files
        .filter(|entry| entry.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= MOST))
        .filter_map(|entry| line(&entry.path()))
        .collect()
}

fn line(path: &Path) -> Option<String> {
    fs::read(path).ok().map(|bytes| format!("{} sha256 {}", path.display(), sha256_hex(&bytes)))
}
