//! Files by which something is started on this node without us: units and timers, cron, other init scripts.

use std::fs;
use std::path::Path;

use super::digests::{Digests, MOST_FILE};

/// Entries of one directory that are looked at.
const MOST_ENTRIES: usize = 1024;

/// Where systemd finds what an administrator, a generator or a program at run time gave it, and what monit watches; with the
/// directories that pull units in (systemd.unit(5)).
const UNITS: &[&str] = &[
    "/etc/systemd/system",
    "/etc/systemd/user",
    "/etc/systemd/system-generators",
    "/run/systemd/system",
    "/run/systemd/transient",
    "/run/systemd/generator",
    "/run/systemd/generator.early",
    "/run/systemd/generator.late",
    "/usr/local/lib/systemd/system",
    "/etc/monit/monitrc",
    "/etc/monit/conf.d",
    "/etc/monit/conf-enabled",
];
/// Units of packages: of those only what is pulled in without an administrator.
const PACKAGED: &str = "/usr/lib/systemd/system";
const CRON: &[&str] = &[
    "/etc/crontab",
    "/etc/anacrontab",
    "/etc/cron.d",
    "/etc/cron.hourly",
    "/etc/cron.daily",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
    "/var/spool/cron",
];
/// The platform's log of each script that it ran, scripts of the kind that it finds by itself, and those of the system.
const INIT_SCRIPTS: &[&str] = &["/databricks/init_scripts", "/databricks/init", "/etc/init.d", "/etc/rc.local"];

/// Units and timers.
pub fn units(digests: &mut Digests<'_>) -> Vec<String> {
    let mut lines = all(UNITS, digests);
    let pulled = |name: &str| [".wants", ".requires"].iter().any(|end| name.ends_with(end));
    let directories = fs::read_dir(PACKAGED).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    for path in directories.filter(|path| path.file_name().is_some_and(|name| pulled(&name.to_string_lossy()))) {
        below(&path, 1, digests, &mut lines);
    }
    lines
}

/// Tables and scripts of cron, and jobs of at.
pub fn cron(digests: &mut Digests<'_>) -> Vec<String> {
    all(CRON, digests)
}

/// Scripts that run at the start, and the logs of those that ran.
pub fn init_scripts(digests: &mut Digests<'_>) -> Vec<String> {
    all(INIT_SCRIPTS, digests)
}

fn all(places: &[&str], digests: &mut Digests<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for place in places.iter().map(Path::new) {
        if digests.foreign_to(place) {
            lines.push(format!("{} {}", place.display(), digests.of(place, MOST_FILE)));
        } else if place.is_dir() {
            below(place, 2, digests, &mut lines);
        } else if place.symlink_metadata().is_ok() {
            lines.push(line(place, digests));
        }
    }
    lines
}

/// Every file of a directory, `depth` directories deep.
fn below(directory: &Path, depth: usize, digests: &mut Digests<'_>, lines: &mut Vec<String>) {
    let mut entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.by_ref().take(MOST_ENTRIES) {
        if digests.late() {
            digests.omit(1);
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 1 => below(&entry.path(), depth - 1, digests, lines),
            _ => lines.push(line(&entry.path(), digests)),
        }
    }
    // Counted, not looked at.
    digests.omit(entries.take(MOST_ENTRIES).count());
}

/// A path, where it leads to, and the digest of what is there.
fn line(path: &Path, digests: &mut Digests<'_>) -> String {
    let digest = digests.of(path, MOST_FILE);
    match fs::read_link(path) {
        Ok(target) => format!("{} -> {} {digest}", path.display(), target.display()),
        Err(_) => format!("{} {digest}", path.display()),
    }
}
