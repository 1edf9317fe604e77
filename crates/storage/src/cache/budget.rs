//! How long one call of the cache may wait for Redis, over all of its commands.

use std::time::Duration;

/// Longest wait of one call: Redis is there to save time, and 100 ms is what the store takes on a
/// bad day.
pub(super) const TOTAL: Duration = Duration::from_millis(100);

/// Longest wait for one command; the rest of the total is left for what may follow.
pub(super) const COMMAND: Duration = Duration::from_millis(80);

/// The waiting that is left; what the store takes in between does not count. After one failure none
/// is left: the call goes on without Redis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    left: Duration,
}

impl Budget {
    pub(super) const fn start() -> Self {
        Self { left: TOTAL }
    }

    /// How long the next command may take, if there is to be one.
    pub(super) fn next(&self) -> Option<Duration> {
        (!self.left.is_zero()).then(|| self.left.min(COMMAND))
    }

    /// Takes off what was waited.
    pub(super) fn waited(&mut self, time: Duration) {
        self.left = self.left.saturating_sub(time);
    }

    pub(super) fn spend(&mut self) {
        self.left = Duration::ZERO;
    }

    pub(super) fn left(&self) -> Duration {
        self.left
    }
}
