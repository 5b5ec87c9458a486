//! What was answered before and still counts: asked for anew once it is no longer fresh, and kept past that only while nobody
//! answers, up to an end of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::host::clock::BootTime;

/// Something that was fetched. Empty at first.
pub struct Kept<T>(Mutex<State<T>>);

struct State<T> {
    answer: Option<Answer<T>>,
    /// When it was last asked for.
    asked: Option<BootTime>,
    /// Whether that brought an answer.
    answered: bool,
}

struct Answer<T> {
    value: Arc<T>,
    /// Until when nobody needs to be asked.
    fresh: BootTime,
    /// Until when it counts where nobody answers.
    end: BootTime,
}

impl<T> Kept<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing here panics between two changes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What needs no asking now.
    pub(super) fn fresh(&self, now: BootTime) -> Option<Arc<T>> {
        self.state().answer.as_ref().filter(|answer| now < answer.fresh).map(|answer| answer.value.clone())
    }

    /// What counts now where nobody answers.
    pub(super) fn stale(&self, now: BootTime) -> Option<Arc<T>> {
        self.state().answer.as_ref().filter(|answer| now < answer.end).map(|answer| answer.value.clone())
    }

    /// Keeps an answer: fresh for a while, and in need for as long again as `stale` says.
    pub(super) fn put(&self, value: T, now: BootTime, fresh: Duration, stale: Duration) -> Arc<T> {
        let value = Arc::new(value);
        let fresh = now.plus(fresh);
        let mut state = self.state();
        state.answer = Some(Answer { value: value.clone(), fresh, end: fresh.plus(stale) });
        state.answered = true;
        value
    }

    /// Drops what is kept; whether there was anything.
    pub(super) fn forget(&self) -> bool {
        self.state().answer.take().is_some()
    }

    /// Drops this one, and none that came after it.
    pub(super) fn forget_this(&self, value: &Arc<T>) {
        self.state().answer.take_if(|answer| Arc::ptr_eq(&answer.value, value));
    }

    /// Until when this one is fresh, and until when it counts where nobody answers; `None` where it is no longer kept.
    pub(super) fn lasts(&self, value: &Arc<T>) -> Option<(BootTime, BootTime)> {
        let state = self.state();
        let answer = state.answer.as_ref().filter(|answer| Arc::ptr_eq(&answer.value, value));
        answer.map(|answer| (answer.fresh, answer.end))
    }

    /// Whether one may ask although there is a fresh answer: not again within `pause`, whoever wants it. Counts as asked.
    pub(super) fn may_ask_again(&self, now: BootTime, pause: Duration) -> bool {
        let mut state = self.state();
        let may = state.asked.is_none_or(|asked| now >= asked.plus(pause));
        if may {
            (state.asked, state.answered) = (Some(now), false);
        }
        may
    }

    /// Notes that it is asked for now.
    pub(super) fn asking(&self, now: BootTime) {
        let mut state = self.state();
        (state.asked, state.answered) = (Some(now), false);
    }

    /// Whether asking last brought an answer.
    pub(super) fn answered(&self) -> bool {
        self.state().answered
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(State { answer: None, asked: None, answered: false }))
    }
}

impl<T> std::fmt::Debug for Kept<T> {
    /// It may be a secret.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> BootTime {
        BootTime(seconds * 1_000_000_000)
    }

    #[test]
    fn an_answer_is_fresh_then_kept_in_need_then_gone() {
        let kept = Kept::default();
        assert!(kept.fresh(at(0)).is_none() && kept.stale(at(0)).is_none() && !kept.forget());
        kept.put("keys", at(100), Duration::from_secs(300), Duration::from_secs(600));
        for (now, fresh, stale) in
            [(100, true, true), (399, true, true), (400, false, true), (999, false, true), (1000, false, false)]
        {
            assert_eq!((kept.fresh(at(now)).is_some(), kept.stale(at(now)).is_some()), (fresh, stale), "{now}");
        }
        assert!(kept.forget() && kept.stale(at(100)).is_none());
        let first = kept.put("first", at(100), Duration::from_secs(300), Duration::from_secs(600));
        assert_eq!(kept.lasts(&first), Some((at(400), at(1000))));
        let second = kept.put("second", at(200), Duration::ZERO, Duration::ZERO);
        kept.forget_this(&first);
        assert_eq!((kept.lasts(&first), kept.lasts(&second)), (None, Some((at(200), at(200)))));
        kept.forget_this(&second);
        assert_eq!(kept.lasts(&second), None);
    }

    #[test]
    fn nobody_has_it_asked_for_again_within_a_minute() {
        let (kept, minute) = (Kept::<()>::default(), Duration::from_secs(60));
        kept.asking(at(100));
        let asked: Vec<u64> = (100..400).filter(|now| kept.may_ask_again(at(*now), minute)).collect();
        assert_eq!(asked, [160, 220, 280, 340]);
        assert!(!kept.answered());
        kept.put((), at(400), minute, minute);
        assert!(kept.answered());
    }
}
