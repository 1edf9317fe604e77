//! Each metric over the whole run, and the parts of metrics that thresholds name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::MAX_METRICS;
use crate::metric::{Contains, MetricKind};
use crate::results::{MetricResult, ReportedThresholds, ThresholdResult, ThresholdResults};
use crate::sample::Sample;
use crate::series::SeriesValue;
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
    kind: MetricKind,
    contains: Contains,
    value: SeriesValue,
    /// Positions of the parts that look at this metric.
    parts: Vec<usize>,
}

/// A selector with tags, and the samples that it picked.
#[derive(Debug)]
struct Part {
    selector: Selector,
    value: Option<(Contains, MetricKind, SeriesValue)>,
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
                    value: None,
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
        if total.kind != sample.kind {
            return None;
        }
        total.value.record(sample.time, sample.value);
        for part in &total.parts {
            let part = &mut self.parts[*part];
            if part.selector.matches(sample.tags) {
                let (_, _, value) = part.value.get_or_insert_with(|| {
                    (
                        sample.contains,
                        sample.kind,
                        SeriesValue::empty(sample.kind),
                    )
                });
                value.record(sample.time, sample.value);
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
        let whole = self.metrics.iter().map(|total| {
            (
                total.name.to_string(),
                total.contains,
                total.kind,
                &total.value,
            )
        });
        let parts = self.parts.iter().filter_map(|part| {
            let (contains, kind, value) = part.value.as_ref()?;
            Some((part.selector.source.clone(), *contains, *kind, value))
        });
        whole
            .chain(parts)
            .map(|(name, contains, kind, value)| {
                let values = statistics(value, load_seconds);
                (
                    name,
                    MetricResult {
                        kind,
                        contains,
                        values,
                    },
                )
            })
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
                let value = self.value_of(&threshold.selector);
                (
                    threshold.name(),
                    judge(&threshold.expression, value, load_seconds, reported_ok),
                )
            })
            .collect();
        ThresholdResults {
            all_passed: results.values().all(|result| result.ok),
            results,
        }
    }

    fn value_of(&self, selector: &Selector) -> Option<&SeriesValue> {
        if selector.tags.is_empty() {
            let position = self.positions.get(selector.metric.as_str())?;
            return self.metrics.get(*position).map(|total| &total.value);
        }
        let part = self.parts.iter().find(|part| part.selector == *selector)?;
        part.value.as_ref().map(|(_, _, value)| value)
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
            kind: sample.kind,
            contains: sample.contains,
            value: SeriesValue::empty(sample.kind),
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
    value: Option<&SeriesValue>,
    load_seconds: f64,
    reported_ok: Option<bool>,
) -> ThresholdResult {
    let samples = value.map_or(0, SeriesValue::samples);
    let absent = value.is_none() && expression.statistic == Statistic::Count;
    let observed_value = value
        .and_then(|value| statistic(value, expression.statistic, load_seconds))
        .or(absent.then_some(0.0));
    let computed_ok = observed_value.is_some_and(|observed| expression.holds(observed));
    let undecided = observed_value.is_some_and(|observed| expression.is_within_error(observed));
    // k6 has every value, so that it decides where the histogram's error could hide the answer.
    let ok = match reported_ok {
        Some(reported) if undecided => reported,
        Some(reported) => reported && computed_ok,
        None => computed_ok,
    };
    ThresholdResult {
        ok,
        observed_value,
        samples,
        reported_ok,
    }
}

/// All statistics of a value under k6's names.
fn statistics(value: &SeriesValue, load_seconds: f64) -> BTreeMap<String, f64> {
    let mut named = BTreeMap::new();
    let mut put = |name: &str, of: Statistic| {
        if let Some(number) = statistic(value, of, load_seconds) {
            named.insert(name.to_owned(), number);
        }
    };
    match value {
        SeriesValue::Counter { .. } => {
            put("count", Statistic::Count);
            put("rate", Statistic::Rate);
        }
        SeriesValue::Gauge(gauge) => {
            put("value", Statistic::Value);
            if let Some(gauge) = gauge {
                named.insert("min".to_owned(), gauge.min);
                named.insert("max".to_owned(), gauge.max);
            }
        }
        SeriesValue::Rate { passes, total } => {
            put("rate", Statistic::Rate);
            named.insert("passes".to_owned(), crate::number::from_count(*passes));
            named.insert(
                "fails".to_owned(),
                crate::number::from_count(total - passes),
            );
        }
        SeriesValue::Trend(distribution) => {
            put("avg", Statistic::Average);
            put("min", Statistic::Minimum);
            put("med", Statistic::Median);
            put("max", Statistic::Maximum);
            put("p(90)", Statistic::Percentile(90.0));
            put("p(95)", Statistic::Percentile(95.0));
            put("p(99)", Statistic::Percentile(99.0));
            named.insert(
                "count".to_owned(),
                crate::number::from_count(distribution.count()),
            );
        }
    }
    named
}

/// One statistic of a value; `None` without samples, and where the kind does not have it.
fn statistic(value: &SeriesValue, of: Statistic, load_seconds: f64) -> Option<f64> {
    match (value, of) {
        (SeriesValue::Counter { sum, .. }, Statistic::Count) => Some(*sum),
        (SeriesValue::Counter { sum, .. }, Statistic::Rate) => Some(if load_seconds > 0.0 {
            sum / load_seconds
        } else {
            0.0
        }),
        (SeriesValue::Gauge(gauge), Statistic::Value) => gauge.map(|gauge| gauge.value),
        (SeriesValue::Rate { passes, total }, Statistic::Rate) => (*total > 0)
            .then(|| crate::number::from_count(*passes) / crate::number::from_count(*total)),
        (SeriesValue::Trend(distribution), Statistic::Average) => distribution.mean(),
        (SeriesValue::Trend(distribution), Statistic::Minimum) => distribution.min(),
        (SeriesValue::Trend(distribution), Statistic::Maximum) => distribution.max(),
        (SeriesValue::Trend(distribution), Statistic::Median) => distribution.quantile(0.5),
        (SeriesValue::Trend(distribution), Statistic::Percentile(percent)) => {
            distribution.quantile(percent / 100.0)
        }
        _ => None,
    }
}
