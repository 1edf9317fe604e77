//! What one metric, or a part of it, measured over the whole run, and its statistics.

use std::collections::BTreeMap;

use crate::metric::{Contains, MetricKind};
use crate::number::from_count;
use crate::results::MetricResult;
use crate::sample::Sample;
use crate::series::SeriesValue;
use crate::threshold::Statistic;

#[derive(Debug)]
pub(super) struct Measured {
    kind: MetricKind,
    contains: Contains,
    value: SeriesValue,
    /// The part of a counter that belongs to the load: what setup and teardown counted would
    /// make its rate too high.
    load_sum: f64,
}

impl Measured {
    /// A metric without samples, of the kind that this sample has.
    pub(super) fn like(sample: &Sample<'_>) -> Self {
        Self {
            kind: sample.kind,
            contains: sample.contains,
            value: SeriesValue::empty(sample.kind),
            load_sum: 0.0,
        }
    }

    pub(super) const fn kind(&self) -> MetricKind {
        self.kind
    }

    pub(super) fn record(&mut self, sample: &Sample<'_>) {
        self.value.record(sample.time, sample.value);
        if self.kind == MetricKind::Counter && sample.is_load() {
            self.load_sum += sample.value;
        }
    }

    pub(super) fn samples(&self) -> u64 {
        self.value.samples()
    }

    /// All statistics under k6's names.
    pub(super) fn result(&self, load_seconds: f64) -> MetricResult {
        metric_result(&self.value, self.contains, |of| {
            self.statistic(of, load_seconds)
        })
    }

    /// One statistic; `None` without samples, and where the kind does not have it.
    pub(super) fn statistic(&self, of: Statistic, load_seconds: f64) -> Option<f64> {
        match (&self.value, of) {
            (SeriesValue::Counter { .. }, Statistic::Rate) if load_seconds > 0.0 => {
                Some(self.load_sum / load_seconds)
            }
            (value, of) => value.statistic(of, load_seconds),
        }
    }
}

/// A value with its statistics under k6's names, each as `statistic` gives it.
pub(crate) fn metric_result(
    value: &SeriesValue,
    contains: Contains,
    statistic: impl Fn(Statistic) -> Option<f64>,
) -> MetricResult {
    let mut values: BTreeMap<String, f64> = names(value.kind())
        .iter()
        .filter_map(|(name, of)| Some(((*name).to_owned(), statistic(*of)?)))
        .collect();
    let beside = match value {
        SeriesValue::Counter { .. } | SeriesValue::Gauge(None) => vec![],
        SeriesValue::Gauge(Some(gauge)) => vec![("min", gauge.min), ("max", gauge.max)],
        SeriesValue::Rate { passes, total } => vec![
            ("passes", from_count(*passes)),
            ("fails", from_count(total - passes)),
        ],
        SeriesValue::Trend(distribution) => vec![("count", from_count(distribution.count()))],
    };
    values.extend(
        beside
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    MetricResult {
        kind: value.kind(),
        contains,
        values,
    }
}

/// The statistics of a kind that thresholds know as well.
const fn names(kind: MetricKind) -> &'static [(&'static str, Statistic)] {
    match kind {
        MetricKind::Counter => &[("count", Statistic::Count), ("rate", Statistic::Rate)],
        MetricKind::Gauge => &[("value", Statistic::Value)],
        MetricKind::Rate => &[("rate", Statistic::Rate)],
        MetricKind::Trend => &[
            ("avg", Statistic::Average),
            ("min", Statistic::Minimum),
            ("med", Statistic::Median),
            ("max", Statistic::Maximum),
            ("p(90)", Statistic::Percentile(90.0)),
            ("p(95)", Statistic::Percentile(95.0)),
            ("p(99)", Statistic::Percentile(99.0)),
        ],
    }
}
