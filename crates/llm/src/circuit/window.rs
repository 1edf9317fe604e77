//! Calls and faults of the last ten seconds.

use tokio::time::Instant;

/// Slices of one second that are looked at.
const SECONDS: usize = 10;

/// A sliding window in slices of a second, so that it takes the same room for any load.
pub(super) struct Window {
    since: Instant,
    slices: [Slice; SECONDS],
}

#[derive(Clone, Copy, Default)]
struct Slice {
    /// Which second since the beginning it counts.
    second: u64,
    calls: u32,
    faults: u32,
}

impl Window {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            slices: [Slice::default(); SECONDS],
        }
    }

    /// Counts a call that ended now.
    pub(super) fn add(&mut self, now: Instant, is_fault: bool) {
        let second = self.second(now);
        let index = usize::try_from(second).unwrap_or_default() % SECONDS;
        let Some(slice) = self.slices.get_mut(index) else {
            return;
        };
        if slice.second != second {
            *slice = Slice {
                second,
                ..Slice::default()
            };
        }
        slice.calls = slice.calls.saturating_add(1);
        slice.faults = slice.faults.saturating_add(u32::from(is_fault));
    }

    /// Calls and faults of the last ten seconds.
    pub(super) fn count(&self, now: Instant) -> (u32, u32) {
        let second = self.second(now);
        self.slices
            .iter()
            .filter(|slice| second.saturating_sub(slice.second) < SECONDS as u64)
            .fold((0, 0), |(calls, faults): (u32, u32), slice| {
                (
                    calls.saturating_add(slice.calls),
                    faults.saturating_add(slice.faults),
                )
            })
    }

    fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.since).as_secs()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_older_than_ten_seconds_is_forgotten() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut window = Window::new(start);
        window.add(at(0), true);
        window.add(at(0), false);
        window.add(at(9), true);
        assert_eq!(window.count(at(9)), (3, 2));
        assert_eq!(window.count(at(10)), (1, 1));
        window.add(at(10), false);
        assert_eq!(window.count(at(18)), (2, 1));
        assert_eq!(window.count(at(19)), (1, 0));
        assert_eq!(window.count(at(1_000)), (0, 0));
        window.add(at(1_000), true);
        assert_eq!(window.count(at(1_000)), (1, 1));
    }
}
