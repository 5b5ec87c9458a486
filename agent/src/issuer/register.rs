//! Which key belongs to which machine and boot, as the ledger tells it. Pure: the same entries give the same answers.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::ledger::Entry;
use super::refusal::Refusal;
use crate::host::clock::Timestamp;

/// So many alarms of one machine are kept; more are counted and said, and not written.
const MOST_ALARMS: u32 = 16;

/// The register.
#[derive(Debug, Default)]
pub struct Register {
    /// By machine and boot.
    bound: HashMap<(String, String), Bound>,
    /// By node key: where it belongs.
    keys: HashMap<String, (String, String)>,
    boots: HashMap<String, HashSet<String>>,
    alarms: HashMap<String, u32>,
    /// By signing key: when its last certificate ends.
    ends: HashMap<String, i64>,
    /// When the last entry was made.
    last: Option<Timestamp>,
}

#[derive(Debug)]
struct Bound {
    key: String,
    certificate: String,
    from: Timestamp,
    until: Timestamp,
}

/// What a proven request comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A certificate is made. `renewal` where the machine has one that is past its half.
    Certify {
        /// Whether the key was certified before.
        renewal: bool,
    },
    /// What was certified before.
    Again(String),
}

impl Register {
    /// As the entries tell it.
    pub fn of(entries: &[(Timestamp, Entry)]) -> Self {
        let mut register = Self::default();
        entries.iter().for_each(|(time, entry)| register.note(entry, *time));
        register
    }

    /// Takes an entry in that is durable.
    pub fn note(&mut self, entry: &Entry, time: Timestamp) {
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        match entry {
            Entry::Opened { .. } | Entry::Key { .. } => {}
            Entry::Certified { instance, boot, key, kid, until, certificate, .. } => {
                let whose = (instance.clone(), boot.clone());
                self.keys.insert(key.clone(), whose.clone());
                self.boots.entry(instance.clone()).or_default().insert(boot.clone());
                let end = self.ends.entry(kid.clone()).or_default();
                *end = (*end).max(*until);
                let until = Timestamp::from_seconds(*until);
                let bound = Bound { key: key.clone(), certificate: certificate.clone(), from: time, until };
                self.bound.insert(whose, bound);
            }
            Entry::Alarm { instance, .. } => *self.alarms.entry(instance.clone()).or_default() += 1,
        }
    }

    /// Whether the key was certified before, for whichever machine.
    pub fn knows(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// When the last certificate of a signing key ends.
    pub fn last_end(&self, kid: &str) -> Timestamp {
        Timestamp::from_seconds(self.ends.get(kid).copied().unwrap_or_default())
    }

    /// When the last entry was made.
    pub fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// Whether one more alarm of this machine is written.
    pub fn writes_alarm(&self, instance: &str) -> bool {
        self.alarms.get(instance).copied().unwrap_or_default() < MOST_ALARMS
    }

    /// What a machine that proved itself gets for this boot and key.
    ///
    /// # Errors
    /// When the machine, the boot or the key is taken.
    pub fn answer(&self, instance: &str, boot: &str, key: &str, boots: u32, now: Timestamp) -> Result<Answer, Refusal> {
        let whose = (instance.to_owned(), boot.to_owned());
        if let Some(bound) = self.bound.get(&whose) {
            if bound.key != key {
                return Err(Refusal::AlreadyCertified);
            }
            let half = bound.from.plus(bound.until.since(bound.from) / 2);
            return Ok(if now < half { Answer::Again(bound.certificate.clone()) } else { Answer::Certify { renewal: true } });
        }
        if self.keys.contains_key(key) {
            return Err(Refusal::KeyElsewhere);
        }
        let known = self.boots.get(instance).map_or(0, HashSet::len);
        if known >= usize::try_from(boots).unwrap_or(usize::MAX) {
            return Err(Refusal::TooManyBoots);
        }
        Ok(Answer::Certify { renewal: false })
    }

    /// What of live certificates is no longer needed to answer with.
    pub fn forget_ended(&mut self, now: Timestamp) {
        let ended = self.bound.values_mut().filter(|bound| bound.until <= now);
        ended.for_each(|bound| bound.certificate = String::new());
    }
}

/// From when on a certificate is asked for anew: as the register counts it.
pub fn renewed_after(from: Timestamp, until: Timestamp) -> Timestamp {
    let life: Duration = until.since(from);
    from.plus(life / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn certified(instance: &str, boot: &str, key: &str) -> Entry {
        Entry::Certified {
            instance: instance.into(),
            boot: boot.into(),
            key: key.into(),
            kid: "k".into(),
            until: NOW.seconds() + 100,
            certificate: format!("{instance} {boot} {key}"),
            evidence: String::new(),
        }
    }

    #[test]
    fn a_machine_has_one_key_for_a_boot_a_key_one_machine_and_boots_are_counted() {
        let register = Register::of(&[(NOW, certified("i", "b", "k"))]);
        let late = NOW.plus(Duration::from_secs(50));
        for (instance, boot, key, boots, now, expected) in [
            ("i", "b", "k", 1, NOW, Ok(Answer::Again("i b k".into()))),
            ("i", "b", "k", 1, late, Ok(Answer::Certify { renewal: true })),
            ("i", "b", "other", 9, NOW, Err(Refusal::AlreadyCertified)),
            ("i", "b", "other", 9, NOW.plus(Duration::from_secs(10_000)), Err(Refusal::AlreadyCertified)),
            ("i", "c", "k", 9, NOW, Err(Refusal::KeyElsewhere)),
            ("j", "b", "k", 9, NOW, Err(Refusal::KeyElsewhere)),
            ("i", "c", "other", 1, NOW, Err(Refusal::TooManyBoots)),
            ("i", "c", "other", 2, NOW, Ok(Answer::Certify { renewal: false })),
            ("j", "b", "other", 1, NOW, Ok(Answer::Certify { renewal: false })),
        ] {
            let outcome = register.answer(instance, boot, key, boots, now);
            assert_eq!(outcome, expected, "{instance} {boot} {key} {boots} {now}");
        }
    }

    #[test]
    fn what_has_ended_is_forgotten_and_what_was_bound_is_not() {
        let mut register = Register::of(&[(NOW, certified("i", "b", "k"))]);
        register.forget_ended(NOW.plus(Duration::from_secs(100)));
        let after = NOW.plus(Duration::from_secs(200));
        assert_eq!(register.answer("i", "b", "other", 9, after), Err(Refusal::AlreadyCertified));
        assert_eq!(register.answer("i", "b", "k", 9, after), Ok(Answer::Certify { renewal: true }));
        assert_eq!((register.knows("k"), register.last_end("k")), (true, NOW.plus(Duration::from_secs(100))));
    }

    #[test]
    fn alarms_of_one_machine_fill_no_disk() {
        let alarm = Entry::Alarm { reason: "r".into(), instance: "i".into(), boot: "b".into(), key: "k".into() };
        let mut register = Register::default();
        (0..MOST_ALARMS).for_each(|_| {
            assert!(register.writes_alarm("i"));
            register.note(&alarm, NOW);
        });
        assert_eq!((register.writes_alarm("i"), register.writes_alarm("j")), (false, true));
    }
}
