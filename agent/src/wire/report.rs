//! What a launcher tells the sidecar, in one datagram that it does not wait for. Names of variables, never values.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// No datagram is longer.
pub const MOST: usize = 8 * 1024;
const VERSION: u8 = 2;

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
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Locked, Self::Inherited, Self::Passed, Self::Observed];

    /// The word in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Inherited => "inherited",
            Self::Passed => "passed",
            Self::Observed => "observed",
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

/// One launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchReport {
    /// The target's number.
    pub target: u32,
    /// How it went on.
    pub outcome: Outcome,
    /// What was enforced.
    pub enforced: Enforced,
    /// Names of removed variables, as many as fit.
    pub removed: Vec<Vec<u8>>,
    /// How many were removed in all.
    pub removed_count: u32,
}

impl LaunchReport {
    /// A report; names beyond [`MOST`] are counted only.
    pub fn new<'a>(target: u32, outcome: Outcome, enforced: Enforced, removed: impl ExactSizeIterator<Item = &'a OsStr>) -> Self {
        let removed_count = u32::try_from(removed.len()).unwrap_or(u32::MAX);
        let mut room = MOST - 32;
        let fits = removed.map(|name| name.as_bytes().to_vec()).take_while(|name| {
            let needed = name.len() + 2;
            let fits = needed <= room && name.len() <= 256;
            room -= if fits { needed } else { 0 };
            fits
        });
        Self { target, outcome, enforced, removed: fits.collect(), removed_count }
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.outcome as u8, self.enforced.0, 0];
        bytes.extend_from_slice(&self.target.to_le_bytes());
        bytes.extend_from_slice(&self.removed_count.to_le_bytes());
        for name in &self.removed {
            bytes.extend_from_slice(&u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
            bytes.extend_from_slice(&name[..usize::from(u16::try_from(name.len()).unwrap_or(0))]);
        }
        bytes
    }

    /// From bytes; `None` for anything that [`LaunchReport::encode`] does not make.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[version, outcome, enforced, zero], rest) = bytes.split_first_chunk::<4>()?;
        let (target, rest) = rest.split_first_chunk::<4>()?;
        let (count, mut rest) = rest.split_first_chunk::<4>()?;
        if bytes.len() > MOST || version != VERSION || enforced > Enforced::FULL.0 || zero != 0 {
            return None;
        }
        let outcome = Outcome::ALL.into_iter().find(|known| *known as u8 == outcome)?;
        let mut removed = Vec::new();
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (name, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            removed.push(name.to_vec());
            rest = after;
        }
        let removed_count = u32::from_le_bytes(*count);
        (removed.len() <= removed_count as usize).then_some(Self {
            target: u32::from_le_bytes(*target),
            outcome,
            enforced: Enforced(enforced),
            removed,
            removed_count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_survives_the_way_and_counts_the_names_that_did_not_fit() {
        let names: Vec<String> = (0..2000).map(|at| format!("VARIABLE_{at}")).collect();
        let report = LaunchReport::new(3, Outcome::Locked, Enforced::FULL, names.iter().map(OsStr::new));
        let bytes = report.encode();
        assert!(bytes.len() <= MOST && report.removed.len() < 2000);
        assert_eq!(report.removed_count, 2000);
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

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_report_or_nothing(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            if let Some(report) = LaunchReport::decode(&bytes) {
                proptest::prop_assert_eq!(report.encode(), bytes);
            }
        }
    }
}
