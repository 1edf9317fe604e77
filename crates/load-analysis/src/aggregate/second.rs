//! What was measured in one second.

use crate::metric::MetricKind;
use crate::series::{SeriesKey, SeriesTags, SeriesValue};

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
        self.merge(metric, |_, _| true)
    }

    /// The same of the load alone, without setup and teardown.
    #[must_use]
    pub fn merged_load(&self, metric: &str) -> Option<SeriesValue> {
        self.merge(metric, SeriesTags::is_load)
    }

    fn merge(
        &self,
        metric: &str,
        takes: impl Fn(&SeriesTags, MetricKind) -> bool,
    ) -> Option<SeriesValue> {
        let mut values = self
            .series
            .iter()
            .filter(|(key, value)| key.metric.as_ref() == metric && takes(&key.tags, value.kind()))
            .map(|(_, value)| value);
        let mut merged = values.next()?.clone();
        for value in values {
            merged.merge(value);
        }
        Some(merged)
    }
}
