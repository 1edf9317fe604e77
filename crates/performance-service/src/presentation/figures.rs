//! The numbers of a run as the page shows them: tiles and tables from the results document.

use std::cmp::Reverse;

use load_analysis::limits::LimitResult;
use load_analysis::metric::{Contains, MetricKind};
use load_analysis::results::{LEAST_FOR_P99, MetricResult, Results};
use load_analysis::spend::Spend;

use super::numbers::{number, share, whole};
use crate::timeline::TimelinePoint;

/// One of the six numbers on top.
pub(crate) struct Tile {
    pub(crate) name: &'static str,
    /// What the live script updates.
    pub(crate) key: &'static str,
    pub(crate) value: String,
}

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

/// The six numbers of a finished run.
pub(crate) fn tiles(results: &Results) -> Vec<Tile> {
    let value = |metric: &str, stat: &str| -> Option<f64> {
        let metric = results.metrics.get(metric)?;
        metric.values.get(stat).copied()
    };
    let milliseconds = |stat: &str| value("http_req_duration", stat).map(ms_text);
    let count = |metric: &str, stat: &str| -> u64 {
        let metric = results.metrics.get(metric);
        metric.and_then(|metric| metric.count_of(stat)).unwrap_or(0)
    };
    let requests = count("http_reqs", "count");
    let p99 = if requests < LEAST_FOR_P99 {
        Some(format!("–, n = {}", whole(requests)))
    } else {
        milliseconds("p(99)")
    };
    let failed = value("http_req_failed", "rate").map(|rate| {
        let failures = count("http_req_failed", "passes");
        format!("{} ({})", share(rate), whole(failures))
    });
    let checks = value("checks", "rate").map(share);
    [
        ("p50", "p50", milliseconds("med")),
        ("p95", "p95", milliseconds("p(95)")),
        ("p99", "p99", p99),
        ("failed", "errors", failed),
        (
            "requests",
            "rate",
            rate_text(requests, value("http_reqs", "rate")),
        ),
        ("checks held", "checks", checks),
    ]
    .map(|(name, key, value)| Tile {
        name,
        key,
        value: value.unwrap_or_else(|| "–".to_owned()),
    })
    .into()
}

/// The same six of the latest second of a run that goes on.
pub(crate) fn live_tiles(latest: Option<&TimelinePoint>) -> Vec<Tile> {
    let milliseconds = |value: Option<f64>| value.map(ms_text);
    let point = latest.cloned().unwrap_or_default();
    let checks = point.checks_passed + point.checks_failed;
    [
        ("p50, last second", "p50", milliseconds(point.p50)),
        ("p95, last second", "p95", milliseconds(point.p95)),
        ("p99, last second", "p99", milliseconds(point.p99)),
        ("failed, last second", "errors", point.error_rate.map(share)),
        (
            "requests/s",
            "rate",
            latest.map(|point| number(point.requests_per_second)),
        ),
        (
            "checks, last second",
            "checks",
            (checks > 0).then(|| format!("{} of {}", whole(point.checks_passed), whole(checks))),
        ),
    ]
    .map(|(name, key, value)| Tile {
        name,
        key,
        value: value.unwrap_or_else(|| "–".to_owned()),
    })
    .into()
}

/// The tiles with one for the cost, of a run that called models.
pub(crate) fn with_cost(mut tiles: Vec<Tile>, spend: Option<&Spend>) -> Vec<Tile> {
    tiles.extend(spend.map(|spend| Tile {
        name: "cost",
        key: "cost",
        value: spend.in_words(),
    }));
    tiles
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

fn ms_text(milliseconds: f64) -> String {
    format!("{} ms", number(milliseconds))
}

fn rate_text(requests: u64, rate: Option<f64>) -> Option<String> {
    let rate = rate?;
    Some(format!("{} ({}/s)", whole(requests), number(rate)))
}
