//! What was measured in one second.

use crate::series::{SeriesKey, SeriesValue};

/// The series that had samples in a second. Requests belong to the second in which they ended.
#[derive(Debug, Clone)]
pub struct SecondBucket {
    /// Seconds since the Unix epoch.
    pub second: i64,
    /// Values by series, sorted by key.
    pub series: Vec<(SeriesKey, SeriesValue)>,
}

impl SecondBucket {
    /// One metric over all its tag sets; `None` when it had no sample.
    #[must_use]
    pub fn merged(&self, metric: &str) -> Option<SeriesValue> {
        let mut values = self
            .series
            .iter()
            .filter(|(key, _)| key.metric.as_ref() == metric)
            .map(|(_, value)| value);
        let mut merged = values.next()?.clone();
        for value in values {
            merged.merge(value);
        }
        Some(merged)
    }
}
