//! Challenges: each is given by this process, counts for two minutes, and for one request. Giving one costs no memory, so
//! that nobody can crowd out others by asking; only what was accepted is kept, until it ends.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::refusal::Refusal;
use crate::host::clock::BootTime;
use crate::host::random::Random;

/// For so long a challenge counts.
pub const LIFE: Duration = Duration::from_secs(120);
/// So many accepted ones are kept; more at one time are turned away until some end.
const MOST_USED: usize = 65_536;
const TIME: usize = 8;
const DRAWN: usize = 16;
const MARK: usize = 16;

/// The challenges of one process.
pub struct Challenges {
    key: Key,
    /// What was accepted: its end, and the digest of the request.
    used: HashMap<[u8; DRAWN], (BootTime, String)>,
}

impl Challenges {
    /// None given yet. Those of an earlier process are no longer known.
    pub fn new(random: &dyn Random) -> Self {
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut());
        Self { key: Key::new(HMAC_SHA256, &*bytes), used: HashMap::new() }
    }

    /// A new one: its end, random bytes, and a mark over both that only this process makes.
    pub fn give(&self, now: BootTime, random: &dyn Random) -> String {
        let mut bytes = [0; TIME + DRAWN + MARK];
        bytes[..TIME].copy_from_slice(&now.plus(LIFE).0.to_be_bytes());
        random.fill(&mut bytes[TIME..TIME + DRAWN]);
        let mark = sign(&self.key, &bytes[..TIME + DRAWN]);
        bytes[TIME + DRAWN..].copy_from_slice(&mark.as_ref()[..MARK]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whether it was given by this process, still counts, and was used by no other request than this one.
    ///
    /// # Errors
    /// When not.
    pub fn check(&self, challenge: &str, request: &str, now: BootTime) -> Result<(), Refusal> {
        let (end, drawn) = self.open(challenge)?;
        if now >= end {
            return Err(Refusal::ChallengeEnded);
        }
        match self.used.get(&drawn) {
            // The same request again: its answer was lost.
            Some((_, other)) if other != request => Err(Refusal::ChallengeUsed),
            Some(_) | None => Ok(()),
        }
    }

    /// From now on it counts for this request alone.
    ///
    /// # Errors
    /// When too many are in use.
    pub fn accept(&mut self, challenge: &str, request: &str, now: BootTime) -> Result<(), Refusal> {
        self.check(challenge, request, now)?;
        let (end, drawn) = self.open(challenge)?;
        if self.used.len() >= MOST_USED {
            self.used.retain(|_, (end, _)| now < *end);
        }
        if self.used.len() >= MOST_USED && !self.used.contains_key(&drawn) {
            return Err(Refusal::Busy);
        }
        self.used.insert(drawn, (end, request.to_owned()));
        Ok(())
    }

    fn open(&self, challenge: &str) -> Result<(BootTime, [u8; DRAWN]), Refusal> {
        let unknown = |_| Refusal::ChallengeUnknown;
        let bytes = URL_SAFE_NO_PAD.decode(challenge).map_err(unknown)?;
        let bytes: [u8; TIME + DRAWN + MARK] = bytes.try_into().map_err(|_| Refusal::ChallengeUnknown)?;
        let mark = sign(&self.key, &bytes[..TIME + DRAWN]);
        aws_lc_rs::constant_time::verify_slices_are_equal(&mark.as_ref()[..MARK], &bytes[TIME + DRAWN..])
            .map_err(|_| Refusal::ChallengeUnknown)?;
        let (mut time, mut drawn) = ([0; TIME], [0; DRAWN]);
        time.copy_from_slice(&bytes[..TIME]);
        drawn.copy_from_slice(&bytes[TIME..TIME + DRAWN]);
        Ok((BootTime(u64::from_be_bytes(time)), drawn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::random::SystemRandomness;

    const NOW: BootTime = BootTime(1_000_000_000_000);

    #[test]
    fn a_challenge_counts_for_two_minutes_for_one_request_of_the_process_that_gave_it() {
        let mut challenges = Challenges::new(&SystemRandomness);
        let given = challenges.give(NOW, &SystemRandomness);
        assert_eq!(challenges.check(&given, "a", NOW), Ok(()));
        assert_eq!(challenges.accept(&given, "a", NOW), Ok(()));
        assert_eq!(challenges.accept(&given, "a", NOW), Ok(()), "the same request again");
        assert_eq!(challenges.accept(&given, "b", NOW), Err(Refusal::ChallengeUsed));
        assert_eq!(challenges.check(&given, "a", NOW.plus(LIFE)), Err(Refusal::ChallengeEnded));
        let last = NOW.plus(LIFE - Duration::from_nanos(1));
        assert_eq!(challenges.check(&given, "a", last), Ok(()));
        assert_ne!(given, challenges.give(NOW, &SystemRandomness));
        let other = Challenges::new(&SystemRandomness);
        assert_eq!(other.check(&given, "a", NOW), Err(Refusal::ChallengeUnknown));
    }

    #[test]
    fn no_byte_of_a_challenge_can_be_changed() {
        let challenges = Challenges::new(&SystemRandomness);
        let given = URL_SAFE_NO_PAD.decode(challenges.give(NOW, &SystemRandomness)).unwrap();
        for at in 0..given.len() {
            let mut other = given.clone();
            other[at] ^= 1;
            let outcome = challenges.check(&URL_SAFE_NO_PAD.encode(other), "a", NOW);
            assert_eq!(outcome, Err(Refusal::ChallengeUnknown), "byte {at}");
        }
        for text in ["", "AAAA", "not base64!", &"A".repeat(10_000)] {
            assert_eq!(challenges.check(text, "a", NOW), Err(Refusal::ChallengeUnknown), "{text}");
        }
    }

    #[test]
    fn accepted_challenges_are_bounded_and_room_comes_back_when_they_end() {
        let mut challenges = Challenges::new(&SystemRandomness);
        for _ in 0..MOST_USED {
            let given = challenges.give(NOW, &SystemRandomness);
            challenges.accept(&given, "a", NOW).unwrap();
        }
        let late = NOW.plus(LIFE);
        let one = challenges.give(NOW.plus(Duration::from_secs(1)), &SystemRandomness);
        assert_eq!(challenges.accept(&one, "a", NOW.plus(Duration::from_secs(1))), Err(Refusal::Busy));
        assert_eq!(challenges.accept(&one, "a", late), Ok(()));
    }
}
