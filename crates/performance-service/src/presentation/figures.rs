//! The tables of a run from its results document, as pages and reports show them.

use std::cmp::Reverse;

use load_analysis::limits::LimitResult;
use load_analysis::metric::{Contains, MetricKind};
use load_analysis::results::{MetricResult, Results};

use super::numbers::{number, share, whole};

/// A row of the table of metrics.
pub(crate) struct MetricRow {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) count: String,
    pub(crate) cells: [String; 5],
}

/// A row of the table of thresholds.
pub(crate) struct ThresholdRow {
    pub(crate) name: String,
    pub(crate) ok: bool,
    pub(crate) observed: String,
    pub(crate) samples: String,
}

/// A row of the table of limits.
pub(crate) struct LimitRow {
    pub(crate) name: String,
    pub(crate) target: String,
    pub(crate) warning: String,
    pub(crate) actual: String,
    pub(crate) samples: String,
    pub(crate) priority: &'static str,
    pub(crate) level: &'static str,
    pub(crate) sentence: String,
}

/// A row of the table of checks.
pub(crate) struct CheckRow {
    pub(crate) name: String,
    pub(crate) ok: bool,
    pub(crate) passes: String,
    pub(crate) fails: String,
    pub(crate) share: String,
}

/// Trends first, in their own unit; then the rest by name.
pub(crate) fn metrics(results: &Results) -> Vec<MetricRow> {
    results
        .metrics
        .iter()
        .map(|(name, metric)| row(name, metric))
        .collect()
}

/// The thresholds, crossed ones first.
pub(crate) fn thresholds(results: &Results) -> Vec<ThresholdRow> {
    let mut rows: Vec<ThresholdRow> = results
        .thresholds
        .results
        .iter()
        .map(|(name, result)| ThresholdRow {
            name: name.clone(),
            ok: result.ok,
            observed: results
                .observed(name)
                .unwrap_or_else(|| "no sample".to_owned()),
            samples: whole(result.samples),
        })
        .collect();
    rows.sort_by_key(|row| row.ok);
    rows
}

/// The limits, the worst first.
pub(crate) fn limits(results: &Results) -> Vec<LimitRow> {
    let mut ordered: Vec<&LimitResult> = results.limits.iter().collect();
    ordered.sort_by_key(|one| Reverse(one.level));
    ordered.into_iter().map(limit).collect()
}

fn limit(result: &LimitResult) -> LimitRow {
    let limit = &result.limit;
    LimitRow {
        name: limit.name(),
        target: limit.bound(limit.target),
        warning: limit.bound(limit.warning),
        actual: result.actual(),
        samples: whole(result.samples),
        priority: limit.priority.as_str(),
        level: result.level.as_str(),
        sentence: result.sentence.clone(),
    }
}

/// The checks, failed ones first.
pub(crate) fn checks(results: &Results) -> Vec<CheckRow> {
    let mut rows: Vec<CheckRow> = results
        .checks
        .iter()
        .map(|check| CheckRow {
            name: check.name.clone(),
            ok: check.fails == 0,
            passes: whole(check.passes),
            fails: whole(check.fails),
            share: share(check.success_rate),
        })
        .collect();
    rows.sort_by_key(|row| row.ok);
    rows
}

/// What the figures are made of, in a sentence.
pub(crate) fn coverage(results: &Results) -> String {
    let coverage = &results.coverage;
    let mut text = format!(
        "{} samples in {} tag sets over {} s of load",
        whole(coverage.samples),
        coverage.tag_sets,
        number(coverage.load_seconds)
    );
    if let Some(format) = &coverage.sample_format {
        text.push_str(&format!(", written as {format}"));
    }
    if coverage.samples_in_other > 0 {
        text.push_str(&format!(
            "; {} samples came after the bound on tag sets and are counted as \u{201c}other\u{201d}",
            whole(coverage.samples_in_other)
        ));
    }
    if coverage.samples_left_out > 0 {
        text.push_str(&format!(
            "; {} samples came after the bound on metrics and are in no figure",
            whole(coverage.samples_left_out)
        ));
    }
    text.push('.');
    text
}

fn row(name: &str, metric: &MetricResult) -> MetricRow {
    let cell = |stats: &[&str]| {
        let found = stats.iter().find_map(|stat| metric.values.get(*stat));
        let text = if metric.kind == MetricKind::Rate {
            share
        } else {
            number
        };
        found.map_or_else(String::new, |value| text(*value))
    };
    MetricRow {
        name: name.to_owned(),
        unit: match metric.contains {
            Contains::Time => "ms",
            Contains::Data => "bytes",
            Contains::Default => "",
        },
        count: ["count", "passes"]
            .into_iter()
            .find_map(|stat| metric.count_of(stat))
            .map_or_else(String::new, whole),
        cells: [
            cell(&["rate", "value", "avg"]),
            cell(&["med"]),
            cell(&["p(95)"]),
            cell(&["p(99)"]),
            cell(&["max"]),
        ],
    }
}
