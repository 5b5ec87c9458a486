//! What a bed's nodes stand on: networks of their own on one bridge, and a control group that accounts for them.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

/// Where control groups are made: that of the first version where it is there, else of the second.
const GROUPS: [&str; 2] = ["/sys/fs/cgroup/cpuacct", "/sys/fs/cgroup"];

/// A control group of its own, where this machine lets root make one.
pub fn group(name: &str) -> Option<PathBuf> {
    let group = GROUPS.map(Path::new).into_iter().find(|all| all.is_dir())?.join(name);
    fs::create_dir(&group).ok().map(|()| group)
}

/// Removes the networks, control groups and directories of tests that were killed.
pub fn sweep() {
    for network in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let name = network.file_name().to_string_lossy().into_owned();
        let maker = name.strip_prefix("lh-").and_then(|rest| rest.split('-').next()).map(|pid| Path::new("/proc").join(pid));
        if maker.is_some_and(|process| !process.exists()) {
            let _ = Command::new("ip").args(["netns", "del", &name]).status();
            let _ = GROUPS.map(|all| fs::remove_dir(Path::new(all).join(&name)));
            let _ = fs::remove_dir(std::env::temp_dir().join(&name));
        }
    }
}

/// A listener in another network namespace: the thread goes there, the listener stays there.
pub fn listener_in(network: &str) -> TcpListener {
    let namespace = File::open(Path::new("/run/netns").join(network)).expect("the network is there");
    let bind = move || {
        setns(namespace, CloneFlags::CLONE_NEWNET).expect("root may enter it");
        TcpListener::bind(("10.88.0.1", 0)).expect("its address is free")
    };
    std::thread::spawn(bind).join().expect("it was bound")
}

/// The only child of a process, once it has one.
pub fn first_child(parent: u32) -> u32 {
    for _ in 0..600 {
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        if let Some(child) = children.split_whitespace().next().and_then(|pid| pid.parse().ok()) {
            return child;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the node did not start")
}
