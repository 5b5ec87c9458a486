//! What a launcher tells the sidecar, in one datagram that it does not wait for. Names of variables, never values.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// No datagram is longer.
pub const MOST: usize = 8 * 1024;
const VERSION: u8 = 3;

/// How a launch went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// A locked tree began.
    Locked = 1,
    /// Inside a locked tree: the environment was set.
    Inherited = 2,
    /// An `inside` target, called from outside a locked tree: passed through untouched.
    Passed = 3,
    /// Observed only: nothing but the context was injected.
    Observed = 4,
    /// Observed, an `inside` target whose caller was not of an observed tree: enforcing would have passed it through.
    ObservedOutside = 5,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Locked, Self::Inherited, Self::Passed, Self::Observed, Self::ObservedOutside];

    /// The word in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Inherited => "inherited",
            Self::Passed => "passed",
            Self::Observed | Self::ObservedOutside => "observed",
        }
    }

    /// Whether nothing was enforced by the policy's own word.
    pub fn observed(self) -> bool {
        matches!(self, Self::Observed | Self::ObservedOutside)
    }
}

/// What enforcing would have refused an observed launch for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Hindrance {
    /// Nothing.
    None = 0,
    /// The lease.
    LeaseEnded = 1,
    /// The sealed lock is not there.
    LockMissing = 2,
    /// The sealed lock is somebody else's.
    LockForeign = 3,
    /// The sealed lock is damaged.
    LockDamaged = 4,
    /// The sealed lock does not know this target.
    TargetUnknown = 5,
    /// The receipt of the decision.
    DecisionNotRecorded = 6,
}

impl Hindrance {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::LeaseEnded,
        Self::LockMissing,
        Self::LockForeign,
        Self::LockDamaged,
        Self::TargetUnknown,
        Self::DecisionNotRecorded,
    ];

    /// The stable name of the refusal that it would have been; empty for none.
    pub fn reason(self) -> &'static str {
        match self {
            Self::None => "",
            Self::LeaseEnded => "lease-ended",
            Self::LockMissing => "lock-missing",
            Self::LockForeign => "lock-foreign",
            Self::LockDamaged => "lock-damaged",
            Self::TargetUnknown => "target-unknown",
            Self::DecisionNotRecorded => "decision-not-recorded",
        }
    }
}

/// What a launch enforced, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enforced(u8);

impl Enforced {
    /// A Landlock domain.
    pub const LANDLOCK: Self = Self(1);
    /// The locked mount namespace.
    pub const MOUNT: Self = Self(2);
    /// Capabilities cut for good.
    pub const CAPABILITIES: Self = Self(4);
    /// The system call filter.
    pub const FILTER: Self = Self(8);
    /// Everything that a lock of full strength consists of.
    pub const FULL: Self = Self(15);

    /// The set with one more, where that was really enforced.
    pub fn with(self, one: Self, really: bool) -> Self {
        if really { Self(self.0 | one.0) } else { self }
    }

    /// Whether everything of another set is in this one.
    pub fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Names of variables, as many as fit, and how many there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Those that fit.
    pub listed: Vec<Vec<u8>>,
    /// In all.
    pub count: u32,
}

impl Names {
    fn fitting<'a>(names: impl ExactSizeIterator<Item = &'a OsStr>, room: &mut usize) -> Self {
        let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let fits = names.map(|name| name.as_bytes().to_vec()).take_while(|name| {
            let needed = name.len() + 2;
            let fits = needed <= *room && name.len() <= 256;
            *room -= if fits { needed } else { 0 };
            fits
        });
        Self { listed: fits.collect(), count }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.extend_from_slice(&u16::try_from(self.listed.len()).unwrap_or(0).to_le_bytes());
        for name in &self.listed {
            bytes.extend_from_slice(&u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
            bytes.extend_from_slice(&name[..usize::from(u16::try_from(name.len()).unwrap_or(0))]);
        }
    }

    fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (count, bytes) = bytes.split_first_chunk::<4>()?;
        let (number, mut rest) = bytes.split_first_chunk::<2>()?;
        let mut listed = Vec::new();
        for _ in 0..u16::from_le_bytes(*number) {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (name, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            listed.push(name.to_vec());
            rest = after;
        }
        let count = u32::from_le_bytes(*count);
        (listed.len() <= count as usize).then_some((Self { listed, count }, rest))
    }
}

/// One launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchReport {
    /// The target's number.
    pub target: u32,
    /// How it went on.
    pub outcome: Outcome,
    /// What was enforced.
    pub enforced: Enforced,
    /// What an observed launch would have been refused for.
    pub hindrance: Hindrance,
    /// Variables that were removed, or would have been.
    pub removed: Names,
    /// Variables that got their pinned value instead of another one, or would have.
    pub overridden: Names,
}

impl LaunchReport {
    /// A report; names beyond [`MOST`] are counted only.
    pub fn new<'a>(
        target: u32,
        outcome: Outcome,
        enforced: Enforced,
        removed: impl ExactSizeIterator<Item = &'a OsStr>,
        overridden: impl ExactSizeIterator<Item = &'a OsStr>,
    ) -> Self {
        let mut room = MOST - 32;
        // Pins are few, and what was removed may be anything: the few come first.
        let overridden = Names::fitting(overridden, &mut room);
        let removed = Names::fitting(removed, &mut room);
        Self { target, outcome, enforced, hindrance: Hindrance::None, removed, overridden }
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.outcome as u8, self.enforced.0, self.hindrance as u8];
        bytes.extend_from_slice(&self.target.to_le_bytes());
        self.removed.encode(&mut bytes);
        self.overridden.encode(&mut bytes);
        bytes
    }

    /// From bytes; `None` for anything that [`LaunchReport::encode`] does not make.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[version, outcome, enforced, hindrance], rest) = bytes.split_first_chunk::<4>()?;
        let (target, rest) = rest.split_first_chunk::<4>()?;
        if bytes.len() > MOST || version != VERSION || enforced > Enforced::FULL.0 {
            return None;
        }
        let outcome = Outcome::ALL.into_iter().find(|known| *known as u8 == outcome)?;
        let hindrance = Hindrance::ALL.into_iter().find(|known| *known as u8 == hindrance)?;
        let (removed, rest) = Names::decode(rest)?;
        let (overridden, rest) = Names::decode(rest)?;
        // Only what is observed goes on in spite of something.
        let sense = outcome.observed() || hindrance == Hindrance::None;
        (sense && rest.is_empty()).then_some(Self {
            target: u32::from_le_bytes(*target),
            outcome,
            enforced: Enforced(enforced),
            hindrance,
            removed,
            overridden,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_survives_the_way_and_counts_the_names_that_did_not_fit() {
        let names: Vec<String> = (0..2000).map(|at| format!("VARIABLE_{at}")).collect();
        let report =
            LaunchReport::new(3, Outcome::Locked, Enforced::FULL, names.iter().map(OsStr::new), [OsStr::new("TZ")].into_iter());
        let bytes = report.encode();
        assert!(bytes.len() <= MOST && report.removed.listed.len() < 2000);
        assert_eq!((report.removed.count, &report.overridden.listed), (2000, &vec![b"TZ".to_vec()]));
        assert_eq!(LaunchReport::decode(&bytes), Some(report));
    }

    #[test]
    fn a_launch_is_full_only_with_every_part_of_the_lock() {
        let parts = [Enforced::LANDLOCK, Enforced::MOUNT, Enforced::CAPABILITIES, Enforced::FILTER];
        for lacking in 0..=parts.len() {
            let enforced = parts.iter().enumerate().fold(Enforced::default(), |set, (at, part)| set.with(*part, at != lacking));
            assert_eq!(enforced.holds(Enforced::FULL), lacking == parts.len(), "without {lacking}");
        }
    }

    #[test]
    fn only_what_is_observed_goes_on_in_spite_of_a_refusal() {
        for outcome in Outcome::ALL {
            for hindrance in Hindrance::ALL {
                let none = || std::iter::empty::<&OsStr>().collect::<Vec<_>>().into_iter();
                let report = LaunchReport { hindrance, ..LaunchReport::new(1, outcome, Enforced::default(), none(), none()) };
                let sense = outcome.observed() || hindrance == Hindrance::None;
                assert_eq!(LaunchReport::decode(&report.encode()), sense.then_some(report));
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_report_or_nothing(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            if let Some(report) = LaunchReport::decode(&bytes) {
                proptest::prop_assert_eq!(report.encode(), bytes);
            }
        }
    }
}
