//! What this node's kernel and container can enforce. Probed, never assumed.

use longhorn_sys::{caps, landlock, seccomp};

/// What can be enforced here, by this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// The Landlock ABI; 0 where there is none.
    pub landlock: u32,
    /// Landlock errata that are fixed.
    pub errata: u32,
    /// Whether a mount namespace can be made (CAP_SYS_ADMIN).
    pub mount: bool,
    /// Whether capabilities can be cut for good: the bounding set (CAP_SETPCAP), or there are none to begin with.
    pub capabilities: bool,
    /// Whether system call filters exist.
    pub seccomp: bool,
}

impl NodeFacts {
    /// Asks the kernel.
    pub fn probe() -> Self {
        let sets = caps::current().unwrap_or(caps::Sets { effective: 0, permitted: u64::MAX });
        Self {
            landlock: landlock::abi().unwrap_or(0),
            errata: landlock::errata(),
            mount: sets.effective & caps::SYS_ADMIN != 0,
            capabilities: sets.can_be_cut(),
            seccomp: seccomp::available(),
        }
    }
}
