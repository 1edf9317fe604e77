//! A bucket that holds a minute's worth and fills up steadily. All it has to
//! remember is when it will be full again.

use std::time::Duration;

use tokio::time::Instant;

/// How long an empty bucket takes to be full.
const PERIOD: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    full_at: Instant,
}

/// A bucket at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    /// How long it takes to be full again.
    pub(crate) reset: Duration,
}

impl Bucket {
    pub(super) fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    pub(super) fn is_full(self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// How long to wait until `wanted` can be taken; none if they are there.
    /// More than the bucket ever holds must wait a whole period, again and again.
    pub(super) fn wait(self, limit: u64, wanted: u64, now: Instant) -> Option<Duration> {
        let filling = self.full_at.saturating_duration_since(now);
        let after = filling.saturating_add(time_for(limit, wanted));
        let wait = after.checked_sub(PERIOD)?;
        (!wait.is_zero()).then_some(wait.min(PERIOD))
    }

    /// Takes so many, whether they are there or not; nothing without a limit.
    pub(super) fn charge(&mut self, limit: Option<u64>, taken: u64, now: Instant) {
        if let Some(limit) = limit {
            self.full_at = self.full_at.max(now) + time_for(limit, taken);
        }
    }

    pub(super) fn read(self, limit: u64, now: Instant) -> Reading {
        let reset = self.full_at.saturating_duration_since(now);
        let used = (reset.as_nanos() * u128::from(limit)).div_ceil(PERIOD.as_nanos());
        let used = u64::try_from(used).unwrap_or(u64::MAX);
        Reading {
            limit,
            remaining: limit.saturating_sub(used),
            reset,
        }
    }
}

/// How long a bucket of this limit takes to gain so many.
fn time_for(limit: u64, wanted: u64) -> Duration {
    let nanoseconds = PERIOD.as_nanos() * u128::from(wanted) / u128::from(limit.max(1));
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)).min(LONGEST)
}

/// Far beyond any answer, and small enough to be added to an instant.
const LONGEST: Duration = Duration::from_hours(24);
