//! How often somebody does something, counted in windows of time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Who is counted at once. In development mode a caller can give himself any number of names;
/// beyond this those of the last window are forgotten together.
const MAX_COUNTED: usize = 10_000;

/// Counts by key; each key's window begins with what is counted first.
pub(crate) struct Windows<K> {
    length: Duration,
    windows: Mutex<HashMap<K, Window>>,
}

struct Window {
    since: Instant,
    counted: u32,
}

impl<K: Eq + Hash> Windows<K> {
    pub(crate) fn new(length: Duration) -> Self {
        Self {
            length,
            windows: Mutex::default(),
        }
    }

    /// Counts once more, up to so many in a window.
    ///
    /// # Errors
    /// They are used up; how long the window goes on.
    pub(crate) fn count(&self, key: K, allowed: u32, now: Instant) -> Result<(), Duration> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = |window: &Window| now.duration_since(window.since) < self.length;
        if windows.len() >= MAX_COUNTED && !windows.contains_key(&key) {
            windows.retain(|_, window| is_open(window));
            if windows.len() >= MAX_COUNTED {
                windows.clear();
            }
        }
        let begun = || Window {
            since: now,
            counted: 0,
        };
        let window = windows.entry(key).or_insert_with(begun);
        if !is_open(window) {
            *window = begun();
        }
        if window.counted >= allowed {
            return Err(self.length.saturating_sub(now.duration_since(window.since)));
        }
        window.counted += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_windows() {
        let minute = Duration::from_mins(1);
        let windows = Windows::new(minute);
        let now = Instant::now();
        let count = |key, now| windows.count(key, 2, now);
        assert_eq!((count("ana", now), count("ana", now)), (Ok(()), Ok(())));
        assert_eq!(count("ana", now + minute / 2), Err(minute / 2));
        assert_eq!(count("bob", now), Ok(()));
        assert_eq!(count("ana", now + minute), Ok(()));
    }

    #[test]
    fn a_flood_of_names_is_forgotten() {
        let windows = Windows::new(Duration::from_mins(1));
        let now = Instant::now();
        for key in 0..=MAX_COUNTED {
            assert_eq!(windows.count(key, 1, now), Ok(()));
        }
        assert_eq!(windows.windows.lock().unwrap().len(), 1);
    }
}
