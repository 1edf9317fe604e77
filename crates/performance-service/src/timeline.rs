//! A run over time: what each second, or each step of several seconds, measured. It is the load
//! that counts; what setup and teardown do is no part of it.

mod failure;
mod point;

use std::ops::Range;

use load_analysis::aggregate::SecondBucket;
use load_analysis::series::SeriesValue;
use performance_store::{LongReader, RunAddress, RunStore, StoreError};

pub(crate) use self::failure::FailureKind;
use self::point::point;
pub(crate) use self::point::{TimelinePoint, count, whole};

/// The metrics that a timeline is made of.
pub(crate) const METRICS: &[&str] = &[
    "http_reqs",
    "http_req_duration",
    "http_req_failed",
    "checks",
    "vus",
    "vus_max",
    "iterations",
    "dropped_iterations",
    "ai_ttft",
    "ai_tokens_input",
    "ai_tokens_output",
    "ai_cost_real_pico_usd",
    "ai_cost_simulated_pico_usd",
];

/// Puts the parts of seconds together into steps.
#[derive(Debug)]
pub(crate) struct Timeline {
    step: u32,
    /// The seconds of the run that it covers.
    window: Range<u32>,
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
    failures: Failures,
}

/// Failed requests by kind, in the order of [`FailureKind::ALL`].
type Failures = [u64; FailureKind::ALL.len()];

impl Timeline {
    /// A timeline in steps of `step` seconds of these seconds of a run.
    pub(crate) const fn new(step: u32, window: Range<u32>) -> Self {
        Self {
            step,
            window,
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
        if !self.window.contains(&seconds) {
            return;
        }
        let t = seconds - (seconds - self.window.start) % self.step;
        if self.open.as_ref().is_some_and(|open| open.t != t) {
            self.close(self.step);
        }
        self.last = seconds;
        let open = self.open.get_or_insert_with(|| Step {
            t,
            values: Default::default(),
            failures: Failures::default(),
        });
        for (sum, more) in open.failures.iter_mut().zip(failures(bucket)) {
            *sum += more;
        }
        for (slot, part) in open.values.iter_mut().zip(measured(bucket)) {
            match (slot, part) {
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
    let empty = Timeline::new(step, from..u32::MAX);
    let fold = |timeline: &mut Timeline, bucket: SecondBucket| timeline.add(&bucket);
    let timeline = store
        .fold_seconds((run, LongReader::Shared), METRICS, empty, fold)
        .await?;
    Ok(timeline.finish())
}

/// A run, or a window of it, in points, and their step in seconds.
#[derive(Debug, Clone)]
pub(crate) struct Overview {
    pub(crate) step: u32,
    pub(crate) points: Vec<TimelinePoint>,
}

/// One second by itself, `t` seconds into the run.
pub(crate) fn second(bucket: &SecondBucket, t: u32) -> TimelinePoint {
    let values = measured(bucket);
    let failures = failures(bucket);
    let step = Step {
        t,
        values,
        failures,
    };
    point(&step, 1)
}

fn failures(bucket: &SecondBucket) -> Failures {
    let mut failures = Failures::default();
    for (key, value) in &bucket.series {
        let counts = key.metric.as_ref() == "http_reqs" && key.tags.is_load(value.kind());
        if let Some(kind) = FailureKind::of(&key.tags).filter(|_| counts) {
            failures[kind as usize] += value.samples();
        }
    }
    failures
}

/// What the metrics of a timeline measured in a second.
fn measured(bucket: &SecondBucket) -> [Option<SeriesValue>; METRICS.len()] {
    let mut values: [Option<SeriesValue>; METRICS.len()] = Default::default();
    for (slot, metric) in values.iter_mut().zip(METRICS) {
        *slot = bucket.merged_load(metric);
    }
    values
}

#[cfg(test)]
mod tests {
    use load_analysis::metric::MetricKind;
    use load_analysis::series::{SeriesKey, SeriesTags};

    use super::*;

    fn requests(second: i64, count: u32, scenario: &str) -> SecondBucket {
        let mut value = SeriesValue::empty(MetricKind::Counter);
        for _ in 0..count {
            value.record(second * 1_000_000, 1.0);
        }
        let key = SeriesKey {
            metric: "http_reqs".into(),
            tags: SeriesTags {
                scenario: scenario.to_owned(),
                ..SeriesTags::default()
            }
            .into(),
        };
        SecondBucket {
            second,
            series: vec![(key, value)],
        }
    }

    /// Thirteen seconds of five requests each; in the second step one second has none.
    #[test]
    fn rates_are_over_the_seconds_that_a_step_covers() {
        let mut timeline = Timeline::new(5, 0..u32::MAX);
        for second in (0..13).filter(|second| *second != 9) {
            timeline.add(&requests(1_000 + second, 5, "load"));
        }
        let rates: Vec<(u32, u64, f64)> = timeline
            .finish()
            .iter()
            .map(|point| (point.t, point.requests, point.requests_per_second))
            .collect();
        assert_eq!(rates, [(0, 25, 5.0), (5, 20, 4.0), (10, 15, 5.0)]);
        assert!(Timeline::new(5, 0..u32::MAX).finish().is_empty());
    }

    #[test]
    fn a_window_has_the_seconds_between_its_ends() {
        let mut timeline = Timeline::new(2, 3..6);
        for second in 0..10 {
            timeline.add(&requests(1_000 + second, 4, "load"));
        }
        let points = timeline.finish();
        let times: Vec<(u32, u64)> = points
            .iter()
            .map(|point| (point.t, point.requests))
            .collect();
        assert_eq!(times, [(3, 8), (5, 4)]);
    }

    #[test]
    fn setup_is_no_load() {
        let setup = requests(1_000, 7, "");
        assert_eq!(second(&setup, 0).requests, 0);
        assert_eq!(second(&requests(1_000, 7, "load"), 0).requests, 7);
    }
}
