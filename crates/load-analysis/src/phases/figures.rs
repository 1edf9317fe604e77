//! The figures of each phase, folded from the seconds of a run. Histograms of seconds are merged,
//! so that a percentile of a phase is that of its requests.

use std::collections::BTreeMap;

use super::layout::PhasePlan;
use super::slices::Slices;
use super::{Latency, Phase, PhaseFigures, Phases};
use crate::aggregate::{SecondBucket, metric_result};
use crate::distribution::Distribution;
use crate::metric::Contains;
use crate::number::{from_count, whole};
use crate::percentile_interval::has_enough_samples;
use crate::results::{MetricResult, Results};
use crate::series::{SeriesTags, SeriesValue};
use crate::threshold::Selector;

/// Folds the seconds of a run into the figures of its phases. Memory does not grow with the run.
#[derive(Debug)]
pub struct PhaseFold {
    plan: PhasePlan,
    counts: Vec<Counts>,
    whole: Counts,
    /// Over the judged phase, under the names of the results.
    steady: Vec<Part>,
    iterations: BTreeMap<String, f64>,
    /// The latest second in which a request or an iteration came to its end.
    last_end: Option<i64>,
    /// Of the judged phase.
    slices: Slices,
}

/// What a phase counts.
#[derive(Debug, Default)]
struct Counts {
    successes: Distribution,
    failures: Distribution,
    requests: u64,
    failed: (u64, u64),
    iterations: f64,
    dropped: f64,
}

/// A metric, or the part of one that a threshold names.
#[derive(Debug)]
struct Part {
    selector: Selector,
    contains: Contains,
    value: Option<SeriesValue>,
}

impl PhaseFold {
    /// A fold for the phases of a run with these results. Parts of metrics by tags that seconds
    /// are not kept apart by have no figures of the steady phase.
    #[must_use]
    pub fn new(plan: PhasePlan, results: &Results) -> Self {
        let part = |(name, metric): (&String, &MetricResult)| {
            let selector = Selector::parse(name).ok()?;
            let known = |(tag, _): &(String, String)| SeriesTags::NAMES.contains(&tag.as_str());
            selector.tags.iter().all(known).then_some(Part {
                selector,
                contains: metric.contains,
                value: None,
            })
        };
        let judged = plan.phases.iter().find(|phase| phase.judged);
        Self {
            counts: plan.phases.iter().map(|_| Counts::default()).collect(),
            whole: Counts::default(),
            steady: results.metrics.iter().filter_map(part).collect(),
            iterations: BTreeMap::new(),
            last_end: None,
            slices: judged.map(|it| Slices::of(&it.seconds)).unwrap_or_default(),
            plan,
        }
    }

    /// The metrics whose seconds are folded.
    #[must_use]
    pub fn metrics(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .steady
            .iter()
            .map(|part| part.selector.metric.clone())
            .collect();
        names.dedup();
        names
    }

    /// Adds a second, or a part of one, in any order.
    pub fn add(&mut self, second: &SecondBucket) {
        let phases = &self.plan.phases;
        let place = phases
            .iter()
            .position(|it| it.seconds.contains(&second.second));
        let Some(place) = place else {
            return;
        };
        for (key, value) in &second.series {
            if !key.tags.is_load(value.kind()) {
                continue;
            }
            for counts in [&mut self.counts[place], &mut self.whole] {
                counts.add(&key.metric, &key.tags, value);
            }
            if matches!(key.metric.as_ref(), "http_reqs" | "iterations") {
                self.last_end = self.last_end.max(Some(second.second));
            }
            if key.metric.as_ref() == "iterations"
                && let SeriesValue::Counter { sum, .. } = value
            {
                *self
                    .iterations
                    .entry(key.tags.scenario.clone())
                    .or_default() += sum;
            }
            if phases[place].judged {
                if let Some(durations) = expected_durations(&key.metric, &key.tags, value) {
                    self.slices.add(second.second, durations);
                }
                let looks_here = |part: &&mut Part| part.picks(&key.metric, &key.tags);
                for part in self.steady.iter_mut().filter(looks_here) {
                    part.add(value);
                }
            }
        }
    }

    /// Iterations that ended, by scenario. Those of an empty name came after the bound on tag
    /// sets.
    #[must_use]
    pub const fn iterations(&self) -> &BTreeMap<String, f64> {
        &self.iterations
    }

    /// Seconds from the begin of the load to the last in which a request or an iteration came to
    /// its end. The load itself may last longer: k6 counts the bytes of what it interrupts.
    #[must_use]
    pub fn last_end(&self) -> Option<f64> {
        let seconds = self.last_end? + 1 - self.plan.span.load.start;
        u32::try_from(seconds).ok().map(f64::from)
    }

    /// The phases with their figures.
    #[must_use]
    pub fn finish(self) -> Phases {
        let (plan, start) = (&self.plan, self.plan.span.load.start);
        let phase = |(planned, counts): (&super::layout::Planned, Counts)| Phase {
            kind: planned.kind,
            from: planned.seconds.start - start,
            to: planned.seconds.end - start,
            load: planned.load.clone(),
            judged: planned.judged,
            figures: counts.figures(plan.span.seconds_within(&planned.seconds)),
        };
        let mut phases: Vec<Phase> = plan.phases.iter().zip(self.counts).map(phase).collect();
        let judged = phases.iter_mut().find(|phase| phase.judged);
        let judged = judged.map(|judged| {
            let figures = &mut judged.figures;
            let slices = &self.slices;
            figures.successes = figures.successes.map(|it| slices.with_intervals(it));
            &*judged
        });
        let steady = judged.map(|judged| {
            let seconds = judged.figures.seconds;
            let parts = self.steady.into_iter();
            parts.filter_map(|part| part.result(seconds)).collect()
        });
        Phases {
            sentence: plan.sentence(),
            model: plan.model,
            offset: 0,
            asked: plan.asked.clone(),
            whole: self.whole.figures(plan.span.load_seconds),
            phases,
            steady,
        }
    }
}

/// Durations of requests that were answered as the script expects.
fn expected_durations<'a>(
    metric: &str,
    tags: &SeriesTags,
    value: &'a SeriesValue,
) -> Option<&'a Distribution> {
    match value {
        SeriesValue::Trend(durations)
            if metric == "http_req_duration" && tags.expected_response != "false" =>
        {
            Some(durations)
        }
        _ => None,
    }
}

impl Counts {
    fn add(&mut self, metric: &str, tags: &SeriesTags, value: &SeriesValue) {
        match (metric, value) {
            ("http_req_duration", SeriesValue::Trend(durations)) => {
                let part = match tags.expected_response.as_str() {
                    "false" => &mut self.failures,
                    _ => &mut self.successes,
                };
                part.merge(durations);
            }
            ("http_reqs", value) => self.requests += value.samples(),
            ("http_req_failed", SeriesValue::Rate { passes, total }) => {
                self.failed.0 += passes;
                self.failed.1 += total;
            }
            ("iterations", SeriesValue::Counter { sum, .. }) => self.iterations += sum,
            ("dropped_iterations", SeriesValue::Counter { sum, .. }) => self.dropped += sum,
            _ => {}
        }
    }

    fn figures(&self, seconds: f64) -> PhaseFigures {
        let (failed, of) = self.failed;
        let rate = if seconds > 0.0 {
            from_count(self.requests) / seconds
        } else {
            0.0
        };
        PhaseFigures {
            seconds,
            requests: self.requests,
            requests_per_second: rate,
            iterations: whole(self.iterations.round()),
            dropped_iterations: whole(self.dropped.round()),
            failed: (of > 0).then(|| from_count(failed) / from_count(of)),
            successes: latency(&self.successes),
            failures: latency(&self.failures),
        }
    }
}

impl Part {
    fn picks(&self, metric: &str, tags: &SeriesTags) -> bool {
        let mut asked = self.selector.tags.iter();
        self.selector.metric == metric && asked.all(|(name, value)| tags.get(name) == value)
    }

    fn add(&mut self, value: &SeriesValue) {
        match &mut self.value {
            Some(merged) => {
                merged.merge(value);
            }
            empty @ None => *empty = Some(value.clone()),
        }
    }

    fn result(self, seconds: f64) -> Option<(String, MetricResult)> {
        let value = self.value?;
        let statistic = |of| value.statistic(of, seconds);
        let result = metric_result(&value, self.contains, statistic);
        Some((self.selector.source, result))
    }
}

/// Percentiles that so many durations tell.
fn latency(durations: &Distribution) -> Option<Latency> {
    let n = durations.count();
    let percentile = |percent: f64| {
        let enough = has_enough_samples(percent, n);
        durations.quantile(percent / 100.0).filter(|_| enough)
    };
    Some(Latency {
        n,
        mean: durations.mean()?,
        p50: percentile(50.0),
        p95: percentile(95.0),
        p95_interval: None,
        p99: percentile(99.0),
        p99_interval: None,
        max: durations.max()?,
    })
}
