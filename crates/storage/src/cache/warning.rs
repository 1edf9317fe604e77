//! A warning that does not fill the log.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Shortest time between two warnings.
const PAUSE: Duration = Duration::from_secs(60);

/// When Redis was last complained about.
#[derive(Debug)]
pub(super) struct Warning(Mutex<Option<Instant>>);

impl Warning {
    pub(super) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Says why Redis is not used, unless that was said within the last minute.
    pub(super) fn once_a_minute(&self, reason: &str) {
        let now = Instant::now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| now.duration_since(last) >= PAUSE) {
            *last = Some(now);
            tracing::warn!(reason, "Redis is not used as a cache at the moment");
        }
    }
}
