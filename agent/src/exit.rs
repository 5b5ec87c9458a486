//! Every exit code, once. The table in README is generated from here.

/// How a `longhorn` process ends. The values follow sysexits where one fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; for `log verify`: SEALED.
    Ok = 0,
    /// `log verify`: the chain is good, the seal is missing (the log goes on, or its tail was cut).
    LogOpen = 10,
    /// `log verify`: sealed, but nothing outside the node vouches for it.
    LogUnanchored = 20,
    /// `log verify`: contradicts a checkpoint that is known from elsewhere.
    LogDiverged = 30,
    /// `log verify`: edited, reordered, cut inside, or badly signed.
    LogInvalid = 40,
    /// `log verify`: nothing to read.
    LogUnreadable = 50,
    /// The command line is wrong.
    Usage = 64,
    /// A document handed in is malformed or does not verify.
    Data = 65,
    /// A file that was named is missing or cannot be read.
    NoInput = 66,
    /// A broken invariant of our own.
    Internal = 70,
    /// The node or its kernel refused a needed step.
    Os = 71,
    /// A record could not be made durable; nothing happens that would need it.
    Record = 74,
    /// Could not tell: a service did not answer in time. Trying again may help.
    Unavailable = 75,
    /// Could not tell: a service answered something that cannot be understood.
    Protocol = 76,
    /// Refused: the evidence is false, stale or contradicts itself.
    RefusedEvidence = 77,
    /// Settings or policy are invalid.
    Config = 78,
    /// Refused: the evidence is good and the policy says no.
    RefusedPolicy = 79,
    /// Refused: this node cannot give the lock that the policy demands.
    RefusedFloor = 80,
    /// Refused at launch: the lease has ended (keeper gone, identity withdrawn).
    RefusedLease = 81,
    /// Refused at launch: the sealed lock is missing, damaged or not ours.
    RefusedLock = 82,
    /// The program to launch cannot be executed.
    CannotExecute = 126,
    /// The program to launch does not exist.
    NotFound = 127,
}

impl Exit {
    /// Every code, in order, with the word and the sentence of the README table.
    pub const ALL: &'static [(Exit, &'static str, &'static str)] = &[
        (Exit::Ok, "ok", "done; `log verify`: SEALED"),
        (Exit::LogOpen, "log-open", "`log verify`: OPEN, the chain is good and the seal is missing"),
        (Exit::LogUnanchored, "log-unanchored", "`log verify`: UNANCHORED, nothing outside the node vouches for it"),
        (Exit::LogDiverged, "log-diverged", "`log verify`: DIVERGED, contradicts a known checkpoint"),
        (Exit::LogInvalid, "log-invalid", "`log verify`: INVALID, edited, cut inside or badly signed"),
        (Exit::LogUnreadable, "log-unreadable", "`log verify`: nothing to read"),
        (Exit::Usage, "usage", "the command line is wrong"),
        (Exit::Data, "data", "a document handed in is malformed or does not verify"),
        (Exit::NoInput, "no-input", "a named file is missing or unreadable"),
        (Exit::Internal, "internal", "a broken invariant of Longhorn's own"),
        (Exit::Os, "os", "the node or its kernel refused a needed step"),
        (Exit::Record, "record", "a record could not be made durable"),
        (Exit::Unavailable, "unavailable", "could not tell: a service did not answer in time"),
        (Exit::Protocol, "protocol", "could not tell: a service answered something unintelligible"),
        (Exit::RefusedEvidence, "refused-evidence", "refused: the evidence is false, stale or contradictory"),
        (Exit::Config, "config", "settings or policy are invalid"),
        (Exit::RefusedPolicy, "refused-policy", "refused: the policy says no"),
        (Exit::RefusedFloor, "refused-floor", "refused: this node cannot give the lock that the policy demands"),
        (Exit::RefusedLease, "refused-lease", "refused at launch: the lease has ended"),
        (Exit::RefusedLock, "refused-lock", "refused at launch: the sealed lock is missing, damaged or not ours"),
        (Exit::CannotExecute, "cannot-execute", "the program to launch cannot be executed"),
        (Exit::NotFound, "not-found", "the program to launch does not exist"),
    ];

    /// What to do about it, where nothing more exact is known.
    pub fn advice(self) -> &'static str {
        match self {
            Exit::Usage => "`longhorn --help` shows the commands",
            Exit::Internal => "this is a defect of Longhorn: report it with the record",
            Exit::Os => {
                "make room, or start it from the cluster's init script; what it had begun is undone, so it can be run again"
            }
            Exit::Record => "is the disk under /var/lib/longhorn full or broken?",
            Exit::Unavailable | Exit::Protocol => "try again; if it stays, ask whoever runs the service",
            Exit::RefusedPolicy => "`longhorn policy explain` shows every rule for an identity and a job",
            Exit::RefusedEvidence => "nothing was started; the record names what was presented",
            Exit::Config => "mend it where it is kept, sign it again if it is the policy, and start the cluster again",
            Exit::Data => "name another document, or have this one made again",
            Exit::NoInput | Exit::LogUnreadable => "check the path and who may read it",
            Exit::RefusedFloor => "use a runtime that can give it, or lower `kernel.floor` in the signed policy",
            Exit::RefusedLease | Exit::RefusedLock => "restart the cluster so that `longhorn init` runs again",
            Exit::CannotExecute | Exit::NotFound => "name a program that is there and that this user may execute",
            Exit::Ok | Exit::LogOpen | Exit::LogUnanchored | Exit::LogDiverged | Exit::LogInvalid => "",
        }
    }

    /// What a step needs whose failure ends so, where that is one thing.
    pub fn needs(self) -> Option<&'static str> {
        match self {
            Exit::Os => Some("root in the node's own namespaces, with room on its disks"),
            Exit::Record => Some("a record that is durable"),
            Exit::CannotExecute | Exit::NotFound => Some("a program that may be executed here"),
            _ => None,
        }
    }

    /// The number a shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(exit.code())
    }
}
