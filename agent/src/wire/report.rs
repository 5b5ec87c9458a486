//! What a launcher tells the sidecar, in one datagram that it does not wait for. Names of variables, never values.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// No datagram is longer.
pub const MOST: usize = 8 * 1024;
const VERSION: u8 = 1;

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

/// One launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchReport {
    /// The target's number.
    pub target: u32,
    /// How it went on.
    pub outcome: Outcome,
    /// Whether the strength is full.
    pub full: bool,
    /// Names of removed variables, as many as fit.
    pub removed: Vec<Vec<u8>>,
    /// How many were removed in all.
    pub removed_count: u32,
}

impl LaunchReport {
    /// A report; names beyond [`MOST`] are counted only.
    pub fn new<'a>(target: u32, outcome: Outcome, full: bool, removed: impl ExactSizeIterator<Item = &'a OsStr>) -> Self {
        let removed_count = u32::try_from(removed.len()).unwrap_or(u32::MAX);
        let mut room = MOST - 32;
        let fits = removed.map(|name| name.as_bytes().to_vec()).take_while(|name| {
            let needed = name.len() + 2;
            let fits = needed <= room && name.len() <= 256;
            room -= if fits { needed } else { 0 };
            fits
        });
        Self { target, outcome, full, removed: fits.collect(), removed_count }
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.outcome as u8, u8::from(self.full), 0];
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
        let (&[version, outcome, full, zero], rest) = bytes.split_first_chunk::<4>()?;
        let (target, rest) = rest.split_first_chunk::<4>()?;
        let (count, mut rest) = rest.split_first_chunk::<4>()?;
        if bytes.len() > MOST || version != VERSION || full > 1 || zero != 0 {
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
            full: full == 1,
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
        let report = LaunchReport::new(3, Outcome::Locked, true, names.iter().map(OsStr::new));
        let bytes = report.encode();
        assert!(bytes.len() <= MOST && report.removed.len() < 2000);
        assert_eq!(report.removed_count, 2000);
        assert_eq!(LaunchReport::decode(&bytes), Some(report));
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
