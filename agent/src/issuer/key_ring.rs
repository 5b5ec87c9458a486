//! Which signing key is used when: each for one period; the next is published before it signs, and an old one stays published
//! until the last certificate that it signed has ended. Pure.

use std::time::Duration;

use super::ledger::Entry;
use crate::context::AuthorityPublicKey;
use crate::host::clock::Timestamp;

/// A key is published so long before it signs, where the period leaves room for it.
const AHEAD: Duration = Duration::from_secs(24 * 3600);

/// The keys, oldest first.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: Vec<(AuthorityPublicKey, Timestamp)>,
}

impl KeyRing {
    /// As the entries tell it; none where one of them holds no key.
    pub fn of(entries: &[(Timestamp, Entry)]) -> Option<Self> {
        let mut ring = Self::default();
        for (_, entry) in entries {
            if let Entry::Key { public, signs_from } = entry {
                ring.add(AuthorityPublicKey::parse(public).ok()?, Timestamp::from_millis(*signs_from));
            }
        }
        Some(ring)
    }

    /// One more key.
    pub fn add(&mut self, key: AuthorityPublicKey, signs_from: Timestamp) {
        self.keys.push((key, signs_from));
    }

    /// All that were ever made.
    pub fn kids(&self) -> Vec<String> {
        self.keys.iter().map(|(key, _)| key.kid()).collect()
    }

    /// The key that signs now.
    pub fn signing(&self, now: Timestamp) -> Option<&AuthorityPublicKey> {
        self.at(now).map(|at| &self.keys[at].0)
    }

    fn at(&self, now: Timestamp) -> Option<usize> {
        self.keys.iter().rposition(|(_, from)| *from <= now)
    }

    /// When a key that is to be made now begins to sign; none where none is needed.
    pub fn due(&self, now: Timestamp, period: Duration) -> Option<Timestamp> {
        let ahead = AHEAD.min(period / 4);
        let Some(at) = self.at(now) else { return self.keys.is_empty().then_some(now) };
        if at + 1 < self.keys.len() {
            return None;
        }
        let end = self.keys[at].1.plus(period);
        (now.plus(ahead) >= end).then(|| end.max(now.plus(ahead)))
    }

    /// What verifiers need: `last_end` says when the last certificate of a key ends.
    pub fn published(&self, now: Timestamp, last_end: impl Fn(&str) -> Timestamp) -> Vec<&AuthorityPublicKey> {
        let signing = self.at(now).unwrap_or(0);
        let keys = self.keys.iter().enumerate();
        keys.filter(|(at, (key, _))| *at >= signing || now < last_end(&key.kid())).map(|(_, (key, _))| key).collect()
    }

    /// Keys that sign no more.
    pub fn retired(&self, now: Timestamp) -> &[(AuthorityPublicKey, Timestamp)] {
        &self.keys[..self.at(now).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::AuthorityKey;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const PERIOD: Duration = Duration::from_secs(30 * 24 * 3600);

    fn key(seed: u8) -> AuthorityPublicKey {
        AuthorityKey::from_seed(&[seed; 32]).unwrap().public()
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_stays_until_its_last_certificate_has_ended() {
        let mut ring = KeyRing::default();
        assert_eq!(ring.due(NOW, PERIOD), Some(NOW));
        ring.add(key(1), NOW);
        let (ahead, end) = (NOW.plus(PERIOD).minus(AHEAD), NOW.plus(PERIOD));
        assert_eq!(ring.due(ahead.minus(Duration::from_secs(1)), PERIOD), None);
        assert_eq!(ring.due(ahead, PERIOD), Some(end));
        ring.add(key(2), end);
        assert_eq!(ring.due(ahead, PERIOD), None, "one successor is enough");
        let last = end.plus(Duration::from_secs(3600));
        let ends = |kid: &str| if kid == key(1).kid() { last } else { Timestamp::from_seconds(0) };
        for (now, signing, published, retired) in [
            (ahead, key(1), vec![key(1), key(2)], 0),
            (end.minus(Duration::from_millis(1)), key(1), vec![key(1), key(2)], 0),
            (end, key(2), vec![key(1), key(2)], 1),
            (last.minus(Duration::from_millis(1)), key(2), vec![key(1), key(2)], 1),
            (last, key(2), vec![key(2)], 1),
        ] {
            let shown: Vec<AuthorityPublicKey> = ring.published(now, ends).into_iter().cloned().collect();
            assert_eq!((ring.signing(now), shown, ring.retired(now).len()), (Some(&signing), published, retired), "{now}");
        }
    }

    #[test]
    fn an_issuer_that_slept_over_a_period_still_publishes_before_it_signs() {
        let mut ring = KeyRing::default();
        ring.add(key(1), NOW);
        let late = NOW.plus(PERIOD * 3);
        let from = ring.due(late, PERIOD).unwrap();
        assert_eq!(from, late.plus(AHEAD));
        ring.add(key(2), from);
        assert_eq!(ring.signing(late), Some(&key(1)));
        // A clock before all keys: nothing signs, and nothing is made.
        let early = NOW.minus(Duration::from_secs(1));
        assert_eq!((ring.signing(early), ring.due(early, PERIOD)), (None, None));
    }
}
