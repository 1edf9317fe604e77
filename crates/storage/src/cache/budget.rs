//! How long one request may wait for Redis, over all of its commands.

use std::time::Duration;

use tokio::time::Instant;

/// Longest wait of one request: Redis is there to save time, and 100 ms is what the store takes on
/// a bad day.
const TOTAL: Duration = Duration::from_millis(100);

/// Longest wait for one command; the rest of the total is left for what may follow.
pub(super) const COMMAND: Duration = Duration::from_millis(80);

/// The time that is left. After one failure none is: the request goes on without Redis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    end: Instant,
}

impl Budget {
    pub(super) fn start() -> Self {
        Self {
            end: Instant::now() + TOTAL,
        }
    }

    /// Until when the next command may take, if there is to be one.
    pub(super) fn next(&self) -> Option<Instant> {
        let now = Instant::now();
        (now < self.end).then(|| self.end.min(now + COMMAND))
    }

    pub(super) fn spend(&mut self) {
        self.end = Instant::now();
    }

    pub(super) fn end(&self) -> Instant {
        self.end
    }
}
