//! Each metric over the whole run, and the parts of metrics that thresholds name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::MAX_METRICS;
use super::measured::Measured;
use crate::metric::MetricKind;
use crate::results::{MetricResult, ReportedThresholds, ThresholdResult, ThresholdResults};
use crate::sample::Sample;
use crate::threshold::{Expression, Selector, Statistic, Threshold};

/// The part of a metric that k6 puts into every summary.
const ALWAYS_SHOWN: &str = "http_req_duration{expected_response:true}";

#[derive(Debug)]
pub(super) struct Totals {
    positions: HashMap<Arc<str>, usize>,
    metrics: Vec<Total>,
    parts: Vec<Part>,
    thresholds: Vec<Threshold>,
}

#[derive(Debug)]
struct Total {
    name: Arc<str>,
    measured: Measured,
    /// Positions of the parts that look at this metric.
    parts: Vec<usize>,
}

/// A selector with tags, and the samples that it picked.
#[derive(Debug)]
struct Part {
    selector: Selector,
    measured: Option<Measured>,
}

impl Totals {
    pub(super) fn new(thresholds: Vec<Threshold>) -> Self {
        let always = Selector::parse(ALWAYS_SHOWN).ok();
        let mut parts: Vec<Part> = Vec::new();
        for selector in always
            .into_iter()
            .chain(thresholds.iter().map(|t| t.selector.clone()))
        {
            let known = parts.iter().any(|part| part.selector == selector);
            if !selector.tags.is_empty() && !known {
                parts.push(Part {
                    selector,
                    measured: None,
                });
            }
        }
        Self {
            positions: HashMap::new(),
            metrics: Vec::new(),
            parts,
            thresholds,
        }
    }

    /// Adds a sample and gives the position of its metric; `None` when the metric comes after
    /// the bound, or its kind is not the one that it had before.
    pub(super) fn add(&mut self, sample: &Sample<'_>) -> Option<usize> {
        let position = match self.positions.get(sample.metric.as_ref()) {
            Some(position) => *position,
            None if self.metrics.len() >= MAX_METRICS => return None,
            None => self.insert(sample),
        };
        let total = self.metrics.get_mut(position)?;
        if total.measured.kind() != sample.kind {
            return None;
        }
        total.measured.record(sample);
        for part in &total.parts {
            let part = &mut self.parts[*part];
            if part.selector.matches(sample.tags) {
                let measured = part.measured.get_or_insert_with(|| Measured::like(sample));
                measured.record(sample);
            }
        }
        Some(position)
    }

    pub(super) fn metric_name(&self, position: usize) -> Arc<str> {
        self.metrics
            .get(position)
            .map_or_else(|| Arc::from(""), |total| Arc::clone(&total.name))
    }

    pub(super) fn metrics(&self, load_seconds: f64) -> BTreeMap<String, MetricResult> {
        let whole = self
            .metrics
            .iter()
            .map(|total| (total.name.to_string(), &total.measured));
        let parts = self
            .parts
            .iter()
            .filter_map(|part| Some((part.selector.source.clone(), part.measured.as_ref()?)));
        whole
            .chain(parts)
            .map(|(name, measured)| (name, measured.result(load_seconds)))
            .collect()
    }

    pub(super) fn thresholds(
        &self,
        load_seconds: f64,
        reported: Option<&ReportedThresholds>,
    ) -> ThresholdResults {
        let results: BTreeMap<_, _> = self
            .thresholds
            .iter()
            .map(|threshold| {
                let reported_ok = reported
                    .and_then(|metrics| metrics.get(&threshold.selector.source))
                    .and_then(|expressions| expressions.get(&threshold.expression.source))
                    .copied();
                let measured = self.measured(&threshold.selector);
                (
                    threshold.name(),
                    judge(&threshold.expression, measured, load_seconds, reported_ok),
                )
            })
            .collect();
        ThresholdResults {
            all_passed: results.values().all(|result| result.ok),
            results,
        }
    }

    /// The sum of a counter.
    pub(super) fn counted(&self, metric: &str) -> Option<f64> {
        let total = self.metrics.get(*self.positions.get(metric)?)?;
        let is_counter = total.measured.kind() == MetricKind::Counter;
        let count = total.measured.statistic(Statistic::Count, 0.0);
        count.filter(|_| is_counter)
    }

    fn measured(&self, selector: &Selector) -> Option<&Measured> {
        if selector.tags.is_empty() {
            let position = self.positions.get(selector.metric.as_str())?;
            return self.metrics.get(*position).map(|total| &total.measured);
        }
        let part = self.parts.iter().find(|part| part.selector == *selector)?;
        part.measured.as_ref()
    }

    fn insert(&mut self, sample: &Sample<'_>) -> usize {
        let name: Arc<str> = Arc::from(sample.metric.as_ref());
        let looks_here = |part: &Part| part.selector.metric == sample.metric;
        let parts = self
            .parts
            .iter()
            .enumerate()
            .filter(|(_, part)| looks_here(part));
        self.metrics.push(Total {
            name: Arc::clone(&name),
            measured: Measured::like(sample),
            parts: parts.map(|(position, _)| position).collect(),
        });
        self.positions.insert(name, self.metrics.len() - 1);
        self.metrics.len() - 1
    }
}

/// Judges one threshold. A count without samples is honestly 0, as in k6; every other statistic
/// without samples has nothing that could be held against a bound.
fn judge(
    expression: &Expression,
    measured: Option<&Measured>,
    load_seconds: f64,
    reported_ok: Option<bool>,
) -> ThresholdResult {
    let absent = measured.is_none() && expression.statistic == Statistic::Count;
    let observed_value = measured
        .and_then(|measured| measured.statistic(expression.statistic, load_seconds))
        .or(absent.then_some(0.0));
    let computed_ok = observed_value.is_some_and(|observed| expression.holds(observed));
    let undecided = observed_value.is_some_and(|observed| expression.is_within_error(observed));
    // k6 divides what it counted by the whole time, setup and teardown included.
    let per_second = expression.statistic == Statistic::Rate
        && measured.is_some_and(|measured| measured.kind() == MetricKind::Counter);
    let ok = match reported_ok {
        // k6 has every value, so that it decides where the histogram's error could hide the
        // answer.
        Some(reported) if undecided => reported,
        Some(reported) if !per_second => reported && computed_ok,
        Some(_) | None => computed_ok,
    };
    ThresholdResult {
        ok,
        observed_value,
        samples: measured.map_or(0, Measured::samples),
        reported_ok,
    }
}
