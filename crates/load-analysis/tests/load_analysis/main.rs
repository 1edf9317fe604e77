//! load-analysis against exact computation: whatever order and parts the samples come in.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aggregation;
mod alarms;
mod baselines;
mod capacities;
mod comparisons;
mod distributions;
mod failures;
mod findings;
mod findings_against_baselines;
mod forecasts;
mod limit_files;
mod limit_results;
mod limit_tags;
mod limits_in_verdicts;
mod made_runs;
mod percentile_intervals;
mod phases;
mod real_runs;
mod reruns;
mod series;
mod shares;
mod thresholds;
mod validity;
mod verdicts;

use std::borrow::Cow;

use load_analysis::aggregate::Aggregator;
use load_analysis::metric::{Contains, MetricKind};
use load_analysis::sample::{Sample, Tags};

/// Adds one sample; `time` is in seconds.
pub(crate) fn add(
    aggregator: &mut Aggregator,
    (metric, kind): (&str, MetricKind),
    (time, value): (f64, f64),
    tags: &[(&str, &str)],
) {
    let tags: Tags<'_> = tags.iter().copied().collect();
    let contains = if metric.ends_with("duration") {
        Contains::Time
    } else {
        Contains::Default
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "seconds of the tests are small"
    )]
    let time = (time * 1e6).round() as i64;
    let metric = Cow::Borrowed(metric);
    aggregator.add(&Sample {
        time,
        metric,
        kind,
        contains,
        value,
        tags: &tags,
        trace_id: None,
    });
}

pub(crate) const DURATION: (&str, MetricKind) = ("http_req_duration", MetricKind::Trend);
pub(crate) const REQUESTS: (&str, MetricKind) = ("http_reqs", MetricKind::Counter);
pub(crate) const FAILED: (&str, MetricKind) = ("http_req_failed", MetricKind::Rate);
pub(crate) const USERS: (&str, MetricKind) = ("vus", MetricKind::Gauge);
pub(crate) const CHECKS: (&str, MetricKind) = ("checks", MetricKind::Rate);
