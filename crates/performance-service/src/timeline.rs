//! A run over time: what each second, or each step of several seconds, measured.

use load_analysis::aggregate::SecondBucket;
use load_analysis::series::SeriesValue;
use performance_store::{RunAddress, RunStore, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// The metrics that a timeline is made of.
pub(crate) const METRICS: &[&str] = &[
    "http_reqs",
    "http_req_duration",
    "http_req_failed",
    "checks",
    "vus",
];

/// One step of a run. What had no sample is absent, never 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TimelinePoint {
    /// Seconds since the first sample, at the beginning of the step.
    pub(crate) t: u32,
    /// Requests that ended in the step.
    pub(crate) requests: u64,
    /// The same per second.
    pub(crate) requests_per_second: f64,
    /// Median of the requests' durations, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p50: Option<f64>,
    /// 95th percentile, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p95: Option<f64>,
    /// 99th percentile, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99: Option<f64>,
    /// Failed requests of all, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_rate: Option<f64>,
    /// Checks that held.
    pub(crate) checks_passed: u64,
    /// Checks that did not.
    pub(crate) checks_failed: u64,
    /// Virtual users at the end of the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) virtual_users: Option<f64>,
}

/// Puts the parts of seconds together into steps.
#[derive(Debug)]
pub(crate) struct Timeline {
    step: u32,
    from: u32,
    origin: Option<i64>,
    /// The newest second, counted from the first one.
    last: u32,
    open: Option<Step>,
    points: Vec<TimelinePoint>,
}

#[derive(Debug)]
struct Step {
    t: u32,
    values: [Option<SeriesValue>; METRICS.len()],
}

impl Timeline {
    /// A timeline in steps of `step` seconds that begins `from` seconds into the run.
    pub(crate) const fn new(step: u32, from: u32) -> Self {
        Self {
            step,
            from,
            origin: None,
            last: 0,
            open: None,
            points: Vec::new(),
        }
    }

    /// Adds a part; parts come in order of time.
    pub(crate) fn add(&mut self, bucket: &SecondBucket) {
        let origin = *self.origin.get_or_insert(bucket.second);
        let seconds = u32::try_from(bucket.second - origin).unwrap_or(0);
        if seconds < self.from {
            return;
        }
        let t = seconds - (seconds - self.from) % self.step;
        if self.open.as_ref().is_some_and(|open| open.t != t) {
            self.close(self.step);
        }
        self.last = seconds;
        let open = self.open.get_or_insert_with(|| Step {
            t,
            values: Default::default(),
        });
        for (slot, metric) in open.values.iter_mut().zip(METRICS) {
            match (slot, bucket.merged(metric)) {
                (Some(value), Some(part)) => {
                    value.merge(&part);
                }
                (slot @ None, part) => *slot = part,
                (Some(_), None) => {}
            }
        }
    }

    /// The steps. The last one ends with the last second.
    pub(crate) fn finish(mut self) -> Vec<TimelinePoint> {
        let begun = self.open.as_ref().map_or(0, |open| open.t);
        self.close(self.last - begun + 1);
        self.points
    }

    /// Makes a point of the open step, which covers so many seconds.
    fn close(&mut self, seconds: u32) {
        if let Some(step) = self.open.take() {
            self.points.push(point(&step, seconds));
        }
    }
}

/// The timeline of a stored run.
pub(crate) async fn of_run(
    store: &RunStore,
    run: &RunAddress,
    step: u32,
    from: u32,
) -> Result<Vec<TimelinePoint>, StoreError> {
    let empty = Timeline::new(step, from);
    let fold = |timeline: &mut Timeline, bucket: SecondBucket| timeline.add(&bucket);
    let timeline = store.fold_seconds(run, METRICS, empty, fold).await?;
    Ok(timeline.finish())
}

/// A run in at most so many points, and its step in seconds.
pub(crate) struct Overview {
    pub(crate) step: u32,
    pub(crate) points: Vec<TimelinePoint>,
}

/// Two overviews of a stored run, a fine one for the eye and a coarse one for a table, in one
/// pass over its seconds.
pub(crate) async fn overviews(
    store: &RunStore,
    run: &RunAddress,
    most_points: [u32; 2],
) -> Result<[Overview; 2], StoreError> {
    let seconds = u32::try_from(store.span_seconds(run).await?).unwrap_or(u32::MAX);
    let steps = most_points.map(|most| seconds.div_ceil(most).max(1));
    let empty = steps.map(|step| Timeline::new(step, 0));
    let fold = |timelines: &mut [Timeline; 2], bucket: SecondBucket| {
        for timeline in timelines {
            timeline.add(&bucket);
        }
    };
    let [fine, coarse] = store.fold_seconds(run, METRICS, empty, fold).await?;
    let [fine_step, coarse_step] = steps;
    Ok([
        Overview {
            step: fine_step,
            points: fine.finish(),
        },
        Overview {
            step: coarse_step,
            points: coarse.finish(),
        },
    ])
}

/// One second by itself, `t` seconds into the run.
pub(crate) fn second(bucket: &SecondBucket, t: u32) -> TimelinePoint {
    let mut values: [Option<SeriesValue>; METRICS.len()] = Default::default();
    for (slot, metric) in values.iter_mut().zip(METRICS) {
        *slot = bucket.merged(metric);
    }
    point(&Step { t, values }, 1)
}

fn point(step: &Step, seconds: u32) -> TimelinePoint {
    let [requests, durations, failed, checks, users] = &step.values;
    let requests = requests.as_ref().map_or(0, SeriesValue::samples);
    let quantile = |share| match durations {
        Some(SeriesValue::Trend(distribution)) => distribution.quantile(share).map(rounded),
        _ => None,
    };
    let (checks_passed, checks_failed) = match checks {
        Some(SeriesValue::Rate { passes, total }) => (*passes, total - passes),
        _ => (0, 0),
    };
    TimelinePoint {
        t: step.t,
        requests,
        requests_per_second: rounded(count(requests) / f64::from(seconds)),
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
        error_rate: match failed {
            Some(SeriesValue::Rate { passes, total }) if *total > 0 => {
                Some(count(*passes) / count(*total))
            }
            _ => None,
        },
        checks_passed,
        checks_failed,
        virtual_users: match users {
            Some(SeriesValue::Gauge(Some(gauge))) => Some(gauge.value),
            _ => None,
        },
    }
}

/// Counts of one step are far below 2^53, up to where a float is exact.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a step are below 2^53"
)]
const fn count(number: u64) -> f64 {
    number as f64
}

/// Microseconds are the resolution of the durations; further digits only look exact.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use load_analysis::metric::MetricKind;
    use load_analysis::series::{SeriesKey, SeriesTags};

    use super::*;

    fn requests(second: i64, count: u32) -> SecondBucket {
        let mut value = SeriesValue::empty(MetricKind::Counter);
        for _ in 0..count {
            value.record(second * 1_000_000, 1.0);
        }
        let key = SeriesKey {
            metric: "http_reqs".into(),
            tags: SeriesTags::other().into(),
        };
        SecondBucket {
            second,
            series: vec![(key, value)],
        }
    }

    /// Thirteen seconds of five requests each; in the second step one second has none.
    #[test]
    fn rates_are_over_the_seconds_that_a_step_covers() {
        let mut timeline = Timeline::new(5, 0);
        for second in (0..13).filter(|second| *second != 9) {
            timeline.add(&requests(1_000 + second, 5));
        }
        let rates: Vec<(u32, u64, f64)> = timeline
            .finish()
            .iter()
            .map(|point| (point.t, point.requests, point.requests_per_second))
            .collect();
        assert_eq!(rates, [(0, 25, 5.0), (5, 20, 4.0), (10, 15, 5.0)]);
        assert!(Timeline::new(5, 0).finish().is_empty());
    }
}
