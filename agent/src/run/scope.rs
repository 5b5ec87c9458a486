//! Where systemd manages the node, keeper and sidecar live in a scope of their own: whatever ends the init script's control
//! group with all that is in it (systemd.kill(5)) does not end them. Elsewhere, or where systemd does not do it, they are plain
//! processes, and the first record says so.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::host::clock::BootTime;
use crate::host::{paths, survey};

/// systemd-run(1), by its own path: nothing is looked up for root.
const PROGRAM: &str = "/usr/bin/systemd-run";
const NAME: &str = "longhorn-";
const KIND: &str = ".scope";

/// A transient scope that does not exist yet.
pub struct Scope {
    unit: String,
}

impl Scope {
    /// One of a name that no keeper before had; none where systemd does not run, or cannot be asked.
    pub fn find(now: BootTime) -> Option<Self> {
        (survey::systemd() && Path::new(PROGRAM).is_file()).then(|| Self { unit: format!("{NAME}{}{KIND}", now.0) })
    }

    /// Starts the binary in it: in place, so that process and descriptors stay (systemd-run(1), `--scope`).
    pub fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["--scope", "--quiet", "--collect", "--unit", &self.unit]);
        command.args(["--description", "Longhorn: keeper and sidecar", "--", paths::BINARY]);
        command
    }
}

/// What this process runs under, by the kernel's word.
pub fn of_this_process() -> String {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    word(survey::systemd(), Path::new(PROGRAM).is_file(), &groups)
}

fn word(systemd: bool, program: bool, groups: &str) -> String {
    // cgroups(7): hierarchy, controllers, path; systemd's own hierarchy is the unified one or has its name.
    let own = groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let own = own.filter(|(controllers, _)| ["", "name=systemd"].contains(controllers));
    let mut names = own.filter_map(|(_, path)| path.rsplit('/').next());
    match names.find(|name| name.starts_with(NAME) && name.ends_with(KIND)) {
        Some(name) => format!("systemd: {name}"),
        None if !systemd => "plain: systemd does not run here".to_owned(),
        None if !program => format!("plain: {PROGRAM} is missing"),
        None => "plain: systemd did not make a scope".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_runs_under_is_read_from_its_control_group() {
        for (systemd, program, groups, said) in [
            (true, true, "0::/system.slice/longhorn-123.scope\n", "systemd: longhorn-123.scope"),
            (true, true, "4:memory:/x\n1:name=systemd:/system.slice/longhorn-5.scope\n", "systemd: longhorn-5.scope"),
            (true, true, "0::/system.slice/init.service\n", "plain: systemd did not make a scope"),
            (true, true, "4:memory:/longhorn-5.scope\n0::/\n", "plain: systemd did not make a scope"),
            (true, false, "0::/\n", "plain: /usr/bin/systemd-run is missing"),
            (false, true, "0::/\n", "plain: systemd does not run here"),
            (false, false, "", "plain: systemd does not run here"),
        ] {
            assert_eq!(word(systemd, program, groups), said, "{groups}");
        }
    }
}
