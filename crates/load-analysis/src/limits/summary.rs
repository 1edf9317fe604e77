//! Limits held against the statistics of a whole run: all that is left of one that was measured
//! elsewhere.

use std::collections::BTreeMap;

use super::judge::Judged;
use super::{Limit, LimitResult, Window, words};
use crate::metric::MetricKind;
use crate::number::whole;
use crate::objective::Better;
use crate::percentile_interval::has_enough_samples;
use crate::results::MetricResult;
use crate::threshold::{Selector, Statistic};
use crate::verdict::Level;

/// Every request is one sample of k6's times of it.
const OF_REQUESTS: &str = "http_req_";

/// Holds limits against metrics by name, parts of a metric under k6's name for them
/// (`http_req_duration{route_class:ai}`).
///
/// Such figures are of the whole run, with its ramps. A limit on another window, on a statistic
/// that is not there, or on a percentile of too few samples passes if even the extreme of the
/// whole run keeps to its target, and else is INCONCLUSIVE with the reason.
#[must_use]
pub fn judge_summary(
    limits: &[Limit],
    metrics: &BTreeMap<String, MetricResult>,
) -> Vec<LimitResult> {
    limits.iter().map(|limit| judge(limit, metrics)).collect()
}

fn judge(limit: &Limit, metrics: &BTreeMap<String, MetricResult>) -> LimitResult {
    let Some(metric) = part(limit, metrics) else {
        let parent = metrics.contains_key(&limit.metric);
        return if parent && !limit.tags.is_empty() {
            let reason = "it has none for these tags; a threshold on them in the script adds \
                          some";
            undecided(limit, 0, reason)
        } else {
            result(limit, &judged(Level::Invalid, None, 0))
        };
    };
    let samples = samples(limit, metric, metrics);
    let value = statistic(metric, limit.stat);
    match why_not(limit, value, samples) {
        None => {
            let level = value.map_or(Level::Invalid, |value| limit.tier(value));
            result(limit, &judged(level, value, samples.unwrap_or(0)))
        }
        Some(reason) => match extreme(limit, metric) {
            Some(value) if limit.tier(value) == Level::Pass => result(
                limit,
                &Judged {
                    // Where nothing failed in the run, nothing failed in any part of it.
                    extreme: metric.kind != MetricKind::Rate,
                    ..judged(Level::Pass, Some(value), samples.unwrap_or(0))
                },
            ),
            _ => undecided(limit, samples.unwrap_or(0), &reason),
        },
    }
}

/// The metric, or the part of it with exactly the limit's tags.
fn part<'a>(
    limit: &Limit,
    metrics: &'a BTreeMap<String, MetricResult>,
) -> Option<&'a MetricResult> {
    if limit.tags.is_empty() {
        return metrics.get(&limit.metric);
    }
    let is_it = |name: &str| {
        let Ok(selector) = Selector::parse(name) else {
            return false;
        };
        let tags: BTreeMap<String, String> = selector.tags.into_iter().collect();
        selector.metric == limit.metric && tags == limit.tags
    };
    let mut parts = metrics.iter();
    parts.find(|(name, _)| is_it(name)).map(|(_, part)| part)
}

/// How many samples a metric has; `None` where the figures do not tell.
fn samples(
    limit: &Limit,
    metric: &MetricResult,
    metrics: &BTreeMap<String, MetricResult>,
) -> Option<u64> {
    let value = |metric: &MetricResult, name: &str| metric.values.get(name).copied();
    let count = match metric.kind {
        MetricKind::Rate => value(metric, "passes").zip(value(metric, "fails")),
        MetricKind::Trend | MetricKind::Counter | MetricKind::Gauge => {
            value(metric, "count").map(|count| (count, 0.0))
        }
    };
    let of_requests = limit.tags.is_empty() && limit.metric.starts_with(OF_REQUESTS);
    let requests = || {
        let all = value(metrics.get("http_reqs")?, "count")?;
        of_requests.then_some((all, 0.0))
    };
    let (one, other) = count.or_else(requests)?;
    Some(whole((one + other).round().max(0.0)))
}

fn statistic(metric: &MetricResult, statistic: Statistic) -> Option<f64> {
    let value = metric.values.get(&statistic.name()).copied();
    value.filter(|value| value.is_finite())
}

/// Why the statistic does not decide; `None` when it does.
fn why_not(limit: &Limit, value: Option<f64>, samples: Option<u64>) -> Option<String> {
    if limit.window != Window::Run {
        let window = limit.window;
        return Some(format!(
            "it is of the whole run, and the limit is on `{window}`"
        ));
    }
    if value.is_none() {
        let stat = limit.stat.name();
        return Some(format!(
            "it has no {stat}; summaryTrendStats of the script adds it"
        ));
    }
    let percent = limit.stat.percent()?;
    match samples {
        None => Some(
            "it has no number of samples; `count` among summaryTrendStats of the script adds it"
                .to_owned(),
        ),
        Some(samples) if !has_enough_samples(percent, samples) => Some(format!(
            "it has {} samples, too few",
            crate::notation::whole(samples)
        )),
        Some(_) => None,
    }
}

/// The worst sample of the run, which bounds every percentile, mean and window of it.
fn extreme(limit: &Limit, metric: &MetricResult) -> Option<f64> {
    let value = |name: &str| metric.values.get(name).copied();
    match (metric.kind, limit.better) {
        (MetricKind::Trend | MetricKind::Gauge, Better::Lower) => value("max"),
        (MetricKind::Trend | MetricKind::Gauge, Better::Higher) => value("min"),
        (MetricKind::Rate, better) => {
            let (edge, others) = match better {
                Better::Lower => (0.0, "passes"),
                Better::Higher => (1.0, "fails"),
            };
            value(others).filter(|count| *count < 0.5).map(|_| edge)
        }
        (MetricKind::Counter, _) => None,
    }
}

const fn judged(level: Level, observed: Option<f64>, samples: u64) -> Judged {
    Judged {
        level,
        observed,
        extreme: false,
        samples,
        slices: (0, 0),
    }
}

fn result(limit: &Limit, judged: &Judged) -> LimitResult {
    LimitResult {
        level: judged.level,
        observed: judged.observed,
        extreme: judged.extreme,
        samples: judged.samples,
        left: limit.left(judged.observed),
        between: None,
        sentence: words::sentence(limit, judged, None, 0),
        limit: limit.clone(),
    }
}

fn undecided(limit: &Limit, samples: u64, reason: &str) -> LimitResult {
    let name = limit.name();
    LimitResult {
        sentence: format!("{name} cannot be told from this summary: {reason}."),
        level: Level::Inconclusive,
        ..result(limit, &judged(Level::Invalid, None, samples))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Contains;

    fn metric(kind: MetricKind, values: &[(&str, f64)]) -> MetricResult {
        MetricResult {
            kind,
            contains: Contains::Default,
            values: values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
        }
    }

    fn metrics() -> BTreeMap<String, MetricResult> {
        let times = [("p(95)", 80.0), ("max", 900.0), ("avg", 30.0)];
        let tagged = [("p(95)", 60.0), ("max", 90.0), ("count", 5_000.0)];
        [
            (
                "http_reqs",
                metric(MetricKind::Counter, &[("count", 150.0)]),
            ),
            ("http_req_duration", metric(MetricKind::Trend, &times)),
            (
                "http_req_duration{route_class:ai}",
                metric(MetricKind::Trend, &tagged),
            ),
            ("own_time", metric(MetricKind::Trend, &times)),
            (
                "http_req_failed",
                metric(
                    MetricKind::Rate,
                    &[("rate", 0.0), ("passes", 0.0), ("fails", 150.0)],
                ),
            ),
        ]
        .map(|(name, metric)| (name.to_owned(), metric))
        .into()
    }

    fn result_of(limit: &str) -> LimitResult {
        let file = format!("[[limit]]\npriority = \"P1\"\n{limit}\n");
        let limits = Limit::parse_file(&file).unwrap();
        judge_summary(&limits, &metrics()).remove(0)
    }

    fn told(limit: &str) -> (Level, String) {
        let result = result_of(limit);
        (result.level, result.sentence)
    }

    #[test]
    fn what_suffices_decides() {
        let p95 = "metric = \"http_req_duration\"\nstat = \"p(95)\"\nunit = \"ms\"\ntarget = ";
        let run = "window = \"run\"";
        let tags = "tags = { route_class = \"ai\" }";
        // 150 samples: 7 beyond the p95.
        let (level, sentence) = told(&format!("{p95}500\n{run}"));
        assert_eq!(level, Level::Inconclusive);
        assert!(sentence.contains("150 samples, too few"), "{sentence}");
        assert_eq!(result_of(&format!("{p95}500\n{run}")).actual(), "not told");
        let bounded = result_of(&format!("{p95}1000\n{run}"));
        assert_eq!(
            (bounded.level, bounded.actual()),
            (Level::Pass, "≤ 900 ms".to_owned())
        );
        assert_eq!(told(&format!("{p95}70\n{run}\n{tags}")).0, Level::Pass);
        assert_eq!(told(&format!("{p95}50\n{run}\n{tags}")).0, Level::Fail);
        let average = "metric = \"own_time\"\nstat = \"avg\"\nunit = \"ms\"\ntarget = ";
        assert_eq!(told(&format!("{average}20\n{run}")).0, Level::Fail);
    }

    #[test]
    fn what_does_not_suffice_says_why() {
        let p95 = "stat = \"p(95)\"\nunit = \"ms\"\ntarget = 100";
        for (limit, reason) in [
            ("metric = \"http_req_duration\"", "the limit is on `steady`"),
            (
                "metric = \"own_time\"\nwindow = \"run\"",
                "no number of samples",
            ),
            (
                "metric = \"own_time\"\ntags = { name = \"a\" }\nwindow = \"run\"",
                "none for these tags",
            ),
        ] {
            let (level, sentence) = told(&format!("{limit}\n{p95}"));
            assert_eq!(level, Level::Inconclusive, "{limit}");
            assert!(sentence.contains(reason), "{sentence}");
        }
        let unknown = format!("metric = \"unknown\"\nwindow = \"run\"\n{p95}");
        assert_eq!(told(&unknown).0, Level::Invalid);
    }

    #[test]
    fn no_failure_in_the_run_is_none_in_any_part_of_it() {
        let limit = "metric = \"http_req_failed\"\nstat = \"rate\"\nunit = \"%\"\ntarget = 1\n\
                     window = \"every 30s\"";
        assert_eq!(told(limit).0, Level::Pass);
    }
}
