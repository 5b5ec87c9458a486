//! How strong a lock is, in words: full, or degraded with each way that stays open.

use super::probe::NodeFacts;
use crate::decision::environment::Floor;
use crate::exit::Exit;
use crate::screen::Screen;

/// The strength of a lock (design 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// Landlock >= 6, the mount namespace, the capability cut and the filter (decision 0011).
    Full,
    /// Anything less.
    Degraded,
}

impl Strength {
    /// The word in contexts and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Degraded => "degraded",
        }
    }

    /// The strength that these facts allow.
    pub fn of(facts: &NodeFacts) -> Self {
        if facts.landlock >= 6 && facts.mount && facts.capabilities && facts.seccomp { Self::Full } else { Self::Degraded }
    }
}

/// The way that is open where capabilities cannot be cut.
pub(super) const CAPABILITIES: &str = "capabilities";

/// Each way that stays open with these facts, by name, sorted.
pub fn open_ways(facts: &NodeFacts) -> Vec<&'static str> {
    // On every node: no policy names ports or addresses, so no rule restricts them, though Landlock could TCP from ABI 4 on.
    let mut open = vec!["network"];
    let mut when = |missing: bool, way: &'static str| {
        if missing {
            open.push(way);
        }
    };
    when(facts.landlock == 0, "files");
    when(facts.landlock < 2, "rename-between-directories-denied");
    when(facts.landlock < 3, "truncation");
    when(facts.landlock < 5, "device-ioctl");
    when(facts.landlock < 6, "signals");
    when(facts.landlock < 6, "abstract-sockets");
    when(facts.landlock < 9 && !facts.mount, "pathname-sockets");
    when(facts.landlock < 9 && facts.mount, "pathname-sockets-outside-run");
    when(!facts.mount, "metadata");
    when(!facts.mount, "process-list");
    when(!facts.mount, "shared-memory");
    when(!facts.capabilities, CAPABILITIES);
    when(!facts.seccomp, "system-calls");
    open.sort_unstable();
    open
}

/// A mechanism that the floor demands and this node lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The Landlock ABI is lower.
    Landlock {
        /// Demanded.
        expected: u32,
        /// There.
        presented: u32,
    },
    /// No mount namespace can be made.
    Mount,
    /// Capabilities cannot be cut.
    Capabilities,
    /// No system call filters.
    Seccomp,
}

impl Missing {
    /// The stable name by which `init` refuses for it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Landlock { .. } => "landlock-too-old",
            Self::Mount => "mount-namespace-unavailable",
            Self::Capabilities => "capabilities-cannot-be-cut",
            Self::Seccomp => "seccomp-unavailable",
        }
    }
}

/// The node is below the policy's floor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this node cannot give the lock that the policy demands")]
pub struct BelowFloor {
    /// What is missing; never empty.
    pub missing: Vec<Missing>,
}

/// Compares a node with a floor.
///
/// # Errors
/// Names everything that is missing.
pub fn meet(floor: &Floor, facts: &NodeFacts) -> Result<(), BelowFloor> {
    let mut missing = Vec::new();
    if facts.landlock < floor.landlock {
        missing.push(Missing::Landlock { expected: floor.landlock, presented: facts.landlock });
    }
    let rows = [
        (floor.mount, facts.mount, Missing::Mount),
        (floor.capabilities, facts.capabilities, Missing::Capabilities),
        (floor.seccomp, facts.seccomp, Missing::Seccomp),
    ];
    missing.extend(rows.into_iter().filter(|(demanded, there, _)| *demanded && !there).map(|(_, _, missing)| missing));
    if missing.is_empty() { Ok(()) } else { Err(BelowFloor { missing }) }
}

impl BelowFloor {
    /// The stable name of the first thing missing.
    pub fn reason(&self) -> &'static str {
        self.missing.first().map_or("landlock-too-old", Missing::reason)
    }

    /// What a person reads.
    pub fn screen(&self) -> Screen {
        let mut screen = Screen::refused(self.reason(), Exit::RefusedFloor, self.to_string());
        for missing in &self.missing {
            screen = match missing {
                Missing::Landlock { expected, presented } => screen
                    .fact("expected Landlock", format!("ABI {expected} or newer"))
                    .fact("presented Landlock", if *presented == 0 { "none".to_owned() } else { format!("ABI {presented}") }),
                Missing::Mount => screen.fact("expected mount namespace", "CAP_SYS_ADMIN").fact("presented", "not held"),
                Missing::Capabilities => screen.fact("expected capability cut", "CAP_SETPCAP").fact("presented", "not held"),
                Missing::Seccomp => screen.fact("expected seccomp", "filters").fact("presented", "none"),
            };
        }
        let kernel = matches!(self.missing.first(), Some(Missing::Landlock { .. } | Missing::Seccomp) | None);
        screen.hint(if kernel {
            "use a runtime with a newer kernel, or lower `kernel.floor` in the signed policy and accept what stays open"
        } else {
            "start `init` with that capability, as an init script has it; or lower `kernel.floor` and accept what stays open"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: NodeFacts = NodeFacts { landlock: 7, errata: 7, mount: true, capabilities: true, seccomp: true };
    const FLOOR: Floor = Floor { landlock: 3, mount: true, capabilities: true, seccomp: true };

    #[test]
    fn each_missing_mechanism_degrades_is_named_and_refused_below_the_floor() {
        assert_eq!((Strength::of(&ALL), meet(&FLOOR, &ALL)), (Strength::Full, Ok(())));
        let rows = [
            (NodeFacts { landlock: 2, ..ALL }, "landlock-too-old", "truncation"),
            (NodeFacts { landlock: 1, ..ALL }, "landlock-too-old", "signals"),
            (NodeFacts { landlock: 0, ..ALL }, "landlock-too-old", "files"),
            (NodeFacts { mount: false, ..ALL }, "mount-namespace-unavailable", "metadata"),
            (NodeFacts { capabilities: false, ..ALL }, "capabilities-cannot-be-cut", "capabilities"),
            (NodeFacts { seccomp: false, ..ALL }, "seccomp-unavailable", "system-calls"),
        ];
        for (facts, reason, way) in rows {
            assert_eq!(Strength::of(&facts), Strength::Degraded, "{reason}");
            assert_eq!(meet(&FLOOR, &facts).unwrap_err().reason(), reason);
            assert!(open_ways(&facts).contains(&way), "{way}");
        }
    }

    #[test]
    fn the_network_is_named_as_open_on_every_node_because_no_rule_restricts_it() {
        for landlock in 0..=10 {
            assert!(open_ways(&NodeFacts { landlock, ..ALL }).contains(&"network"), "ABI {landlock}");
        }
    }

    #[test]
    fn a_node_on_which_a_job_can_kill_the_keeper_is_never_full() {
        let scoped = NodeFacts { landlock: 6, ..ALL };
        assert_eq!(Strength::of(&scoped), Strength::Full);
        let unscoped = NodeFacts { landlock: 5, ..ALL };
        assert_eq!(Strength::of(&unscoped), Strength::Degraded);
        assert!(open_ways(&unscoped).contains(&"signals"));
    }

    #[test]
    fn a_missing_abi_is_refused_with_both_numbers() {
        let screen = meet(&FLOOR, &NodeFacts { landlock: 1, ..ALL }).unwrap_err().screen().to_string();
        assert!(
            screen.contains("ABI 3 or newer")
                && screen.contains("ABI 1")
                && screen.ends_with("reason: landlock-too-old   exit: 80\n"),
            "{screen}"
        );
    }
}
