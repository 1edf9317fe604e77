//! The clock on the wall, as far as decisions hang on it: what is due, what is old, which day it
//! is. How long something took is never read from it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use uuid::{ContextV7, Uuid};

use crate::run::RunId;

/// Says what time it is. Clones are the same clock: who sets one, sets all.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// How far it is ahead of the machine's clock, milliseconds.
    ahead: AtomicI64,
    /// What makes ids grow, also when the clock is set back.
    ids: Mutex<ContextV7>,
}

impl Clock {
    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ahead = self.shared.ahead.load(Ordering::Relaxed);
        let now = Timestamp::now();
        let ahead = SignedDuration::from_millis(ahead);
        now.checked_add(ahead).unwrap_or(now)
    }

    /// What time it is as times are stored, in whole milliseconds: who is told it now is told the
    /// same later.
    #[must_use]
    pub fn stored_now(&self) -> Timestamp {
        let now = self.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Sets it forward, or back, as a person or a time server sets the clock of a machine: for
    /// tests.
    pub fn step(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(0);
        self.shared.ahead.fetch_add(by, Ordering::Relaxed);
    }

    /// An id that is later than all that this clock made or has [seen](Self::saw), whatever it
    /// says now.
    #[must_use]
    pub fn run_id(&self) -> RunId {
        self.id_at(self.now().as_millisecond())
    }

    /// Ids come after this one from now on.
    pub(crate) fn saw(&self, id: RunId) {
        if let Some(milliseconds) = id.milliseconds() {
            // One millisecond on, since the ids of one are ordered within a process alone.
            self.id_at(milliseconds.saturating_add(1));
        }
    }

    /// An id of this time, or of a later one when there are such ids.
    fn id_at(&self, milliseconds: i64) -> RunId {
        let milliseconds = u64::try_from(milliseconds).unwrap_or(0);
        // Milliseconds within a second fit, times a million as well.
        let nanoseconds = u32::try_from(milliseconds % 1_000 * 1_000_000).unwrap_or(0);
        let ids = self
            .shared
            .ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let at = uuid::Timestamp::from_unix(&*ids, milliseconds / 1_000, nanoseconds);
        RunId::of(Uuid::new_v7(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    #[test]
    fn clones_are_set_together() {
        let clock = Clock::default();
        let other = clock.clone();
        let before = other.now();
        clock.step(HOUR);
        assert!(other.now().duration_since(before) >= HOUR);
        clock.step(-HOUR);
        assert!(other.now().duration_since(before) < HOUR);
    }

    #[test]
    fn ids_grow_whatever_the_clock_does() {
        let clock = Clock::default();
        let mut ids = vec![clock.run_id()];
        for step in [HOUR, -HOUR, -HOUR, HOUR] {
            clock.step(step);
            ids.extend([clock.run_id(), clock.run_id()]);
        }
        // A service that starts anew, an hour earlier than the last one ended.
        let later = Clock::default();
        later.step(-HOUR);
        later.saw(ids[ids.len() - 1]);
        ids.extend([later.run_id(), later.run_id()]);
        assert!(ids.is_sorted(), "{ids:?}");
        ids.dedup();
        assert_eq!(ids.len(), 11, "each once");
    }
}
