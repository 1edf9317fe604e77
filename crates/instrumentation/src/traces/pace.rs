//! How many slow requests keep their trace.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Time between two of them in the long run, ten a second: when everything is slow, some are enough
/// to see why, and the collector has the others' room.
const BETWEEN: Duration = Duration::from_millis(100);

/// How many may come at once.
const BURST: u32 = 20;

/// A bucket of tokens, of which one drips in every tenth of a second.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the bucket will be full again.
    full: Mutex<Option<Instant>>,
}

impl Pace {
    /// Takes a token if there is one.
    pub(super) fn take(&self) -> bool {
        let now = Instant::now();
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let next = full.map_or(now, |full| full.max(now)) + BETWEEN;
        let there = next <= now + BETWEEN * BURST;
        if there {
            *full = Some(next);
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_then_ten_a_second() {
        let pace = Pace::default();
        let taken = || (0..1_000).filter(|_| pace.take()).count();
        assert_eq!(taken(), 20);
        tokio::time::advance(Duration::from_millis(350)).await;
        assert_eq!(taken(), 3);
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(taken(), 20);
        let mut kept = 0;
        for _ in 0..100 {
            tokio::time::advance(Duration::from_millis(10)).await;
            kept += taken();
        }
        assert_eq!(kept, 10);
    }
}
