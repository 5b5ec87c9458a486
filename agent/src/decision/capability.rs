//! Capabilities of the kernel (capabilities(7)) that a policy may keep. What would undo the lock cannot be held as one.

use std::fmt;

/// A capability that may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Capability {
    name: &'static str,
    number: u8,
}

/// Why a name is none that may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeverKept {
    /// It undoes the lock by itself.
    Undoes,
    /// With it the environment of every process can be read (Linux 6.15), besides what else it undoes.
    ShowsEnvironments,
    /// No capability has this name.
    Unknown,
}

const MAY: Result<(), NeverKept> = Ok(());
const UNDOES: Result<(), NeverKept> = Err(NeverKept::Undoes);
const SHOWS: Result<(), NeverKept> = Err(NeverKept::ShowsEnvironments);

/// All of them, in the order of their numbers (linux/capability.h), without `CAP_`.
const ALL: &[(&str, Result<(), NeverKept>)] = &[
    ("CHOWN", MAY),
    ("DAC_OVERRIDE", MAY),
    ("DAC_READ_SEARCH", UNDOES),
    ("FOWNER", MAY),
    ("FSETID", MAY),
    ("KILL", MAY),
    ("SETGID", MAY),
    ("SETUID", MAY),
    ("SETPCAP", UNDOES),
    ("LINUX_IMMUTABLE", MAY),
    ("NET_BIND_SERVICE", MAY),
    ("NET_BROADCAST", MAY),
    ("NET_ADMIN", MAY),
    ("NET_RAW", MAY),
    ("IPC_LOCK", MAY),
    ("IPC_OWNER", MAY),
    ("SYS_MODULE", UNDOES),
    ("SYS_RAWIO", UNDOES),
    ("SYS_CHROOT", UNDOES),
    ("SYS_PTRACE", UNDOES),
    ("SYS_PACCT", MAY),
    ("SYS_ADMIN", SHOWS),
    ("SYS_BOOT", MAY),
    ("SYS_NICE", MAY),
    ("SYS_RESOURCE", MAY),
    ("SYS_TIME", MAY),
    ("SYS_TTY_CONFIG", MAY),
    ("MKNOD", UNDOES),
    ("LEASE", MAY),
    ("AUDIT_WRITE", MAY),
    ("AUDIT_CONTROL", MAY),
    ("SETFCAP", UNDOES),
    ("MAC_OVERRIDE", UNDOES),
    ("MAC_ADMIN", UNDOES),
    ("SYSLOG", MAY),
    ("WAKE_ALARM", MAY),
    ("BLOCK_SUSPEND", MAY),
    ("AUDIT_READ", MAY),
    ("PERFMON", SHOWS),
    ("BPF", UNDOES),
    ("CHECKPOINT_RESTORE", UNDOES),
];

impl Capability {
    /// The capability of a name: upper case, without `CAP_`.
    ///
    /// # Errors
    /// When there is none of this name that may be kept.
    pub fn keepable(name: &str) -> Result<Self, NeverKept> {
        let found = (0u8..).zip(ALL).find(|(_, (known, _))| *known == name);
        let (number, (name, kept)) = found.ok_or(NeverKept::Unknown)?;
        kept.map(|()| Self { name, number })
    }

    /// Its bit in a capability set.
    pub fn bit(self) -> u64 {
        1 << self.number
    }

    /// Whether it changes who a process is: its uid, gid or groups.
    pub fn changes_identity(self) -> bool {
        matches!(self.name, "SETUID" | "SETGID")
    }

    /// Whether it reaches a TCP port in another way than by connect(2): with packets of its own, or by redirecting others'.
    pub fn leads_past_ports(self) -> bool {
        matches!(self.name, "NET_RAW" | "NET_ADMIN")
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_kernels_and_what_undoes_the_lock_is_never_kept() {
        // linux/capability.h
        let rows =
            [("CHOWN", 0), ("KILL", 5), ("SETGID", 6), ("SETUID", 7), ("NET_RAW", 13), ("SYS_BOOT", 22), ("AUDIT_READ", 37)];
        for (name, number) in rows {
            assert_eq!(Capability::keepable(name).map(Capability::bit), Ok(1 << number), "{name}");
        }
        assert_eq!(ALL.len(), 41);
        assert_eq!(ALL.iter().position(|(name, _)| *name == "SYS_ADMIN"), Some(21));
        assert_eq!(Capability::keepable("SYS_ADMIN"), Err(NeverKept::ShowsEnvironments));
        assert_eq!(Capability::keepable("SYS_PTRACE"), Err(NeverKept::Undoes));
        assert_eq!(Capability::keepable("CAP_KILL"), Err(NeverKept::Unknown));
        assert_eq!(ALL.iter().filter(|(_, kept)| kept.is_err()).count(), 14);
    }
}
