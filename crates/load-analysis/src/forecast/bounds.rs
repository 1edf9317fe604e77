//! What the limits and thresholds of a run will say, as far as the runs before it tell. Unlike load
//! and money they are not scaled to the plan: durations do not grow with users in any known way.

use serde::Serialize;

use super::{Estimate, Range, estimate};
use crate::limits::Limit;
use crate::notation;
use crate::objective::Better;
use crate::results::Results;
use crate::threshold::Threshold;
use crate::verdict::Level;

/// A bound of a run to come, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BoundForecast {
    /// What is bounded: `p(95) of http_req_duration`.
    pub name: String,
    /// `≤ 150 ms`; a threshold as k6 has it.
    pub bound: String,
    /// What is expected; `–` where nothing is known.
    pub expected: String,
    /// From where to where.
    pub range: String,
    /// What it rests on, and how many of these runs kept to the bound.
    pub basis: String,
    /// What is expected of the bound: WARNING where a part of the range is beyond it. Absent where
    /// nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// Forecasts limits by what earlier runs were judged by, thresholds by what they measured.
#[must_use]
pub fn bounds(
    limits: &[Limit],
    thresholds: &[Threshold],
    history: &[Results],
) -> Vec<BoundForecast> {
    let limits = limits.iter().map(|limit| of_limit(limit, history));
    let thresholds = thresholds.iter().map(|one| of_threshold(one, history));
    limits.chain(thresholds).collect()
}

fn of_limit(limit: &Limit, history: &[Results]) -> BoundForecast {
    let (name, window) = (limit.name(), limit.window);
    let observed = |results: &Results| {
        let mut judged = results.limits.iter();
        let same = judged.find(|it| it.limit.window == window && it.limit.name() == name)?;
        same.observed
    };
    let values: Vec<f64> = history.iter().filter_map(observed).collect();
    Told {
        name,
        bound: limit.bound(limit.target),
        write: |value: f64| limit.unit.write(value),
        level: |value: f64| limit.tier(value),
        // Where the larger part of the noise would be seen.
        worst: |range: &Range<f64>| match limit.better {
            Better::Lower => range.high,
            Better::Higher => range.low,
        },
    }
    .of(&values)
}

fn of_threshold(threshold: &Threshold, history: &[Results]) -> BoundForecast {
    let (metric, expression) = (&threshold.selector.source, &threshold.expression);
    let statistic = expression.statistic;
    let measured = |results: &Results| {
        let of = results.judged_metrics().get(metric)?;
        let value = of.values.get(&statistic.name()).copied()?;
        Some((notation::Unit::of(statistic, of.kind, of.contains), value))
    };
    let (units, values): (Vec<_>, Vec<f64>) = history.iter().filter_map(measured).unzip();
    let unit = units.first().copied();
    let level = |value: f64| {
        if expression.holds(value) {
            Level::Pass
        } else {
            Level::Fail
        }
    };
    Told {
        name: metric.clone(),
        bound: expression.source.clone(),
        write: |value: f64| match unit {
            Some(unit) => unit.beside(value, expression.bound),
            None => notation::number(value),
        },
        level,
        worst: |range: &Range<f64>| match level(range.high) {
            Level::Pass => range.low,
            _ => range.high,
        },
    }
    .of(&values)
}

/// A bound, and how values are written and judged by it.
struct Told<W, L, E> {
    name: String,
    bound: String,
    write: W,
    level: L,
    /// The worse end of a range.
    worst: E,
}

impl<W, L, E> Told<W, L, E>
where
    W: Fn(f64) -> String,
    L: Fn(f64) -> Level,
    E: Fn(&Range<f64>) -> f64,
{
    fn of(self, values: &[f64]) -> BoundForecast {
        let Estimate { range, basis } = estimate(values, true);
        let kept = values
            .iter()
            .filter(|value| (self.level)(**value) == Level::Pass);
        let basis = match values.len() {
            0 => basis,
            all => format!("{basis}: {} of {all} kept to it", kept.count()),
        };
        let Some(range) = range else {
            return BoundForecast {
                name: self.name,
                bound: self.bound,
                expected: "–".to_owned(),
                range: "–".to_owned(),
                basis,
                level: None,
            };
        };
        let expected = (self.level)(range.expected);
        let worst = (self.level)((self.worst)(&range));
        let level = if expected == Level::Pass && worst != Level::Pass {
            Level::Warning
        } else {
            expected
        };
        let write = |value| (self.write)(value);
        BoundForecast {
            expected: write(range.expected),
            range: format!("{} – {}", write(range.low), write(range.high)),
            name: self.name,
            bound: self.bound,
            basis,
            level: Some(level),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LIMITS: &str = r#"
[[limit]]
metric = "http_req_duration"
stat = "p(95)"
target = 150
warning = 200
unit = "ms"
priority = "P0"
"#;

    /// A run whose limit observed this, and whose 99th percentile was twice as long.
    fn run(limit: &Limit, observed: f64) -> Results {
        serde_json::from_value(json!({
            "metrics": {"http_req_duration": {
                "type": "trend", "contains": "time", "values": {"p(99)": 2.0 * observed},
            }},
            "checks": [], "coverage": {}, "thresholds": {"results": {}, "allPassed": true},
            "limits": [{
                "limit": limit, "level": "PASS", "observed": observed, "samples": 9,
                "sentence": "",
            }],
        }))
        .unwrap()
    }

    fn forecast(observed: &[f64]) -> Vec<(String, Option<Level>)> {
        let limits = Limit::parse_file(LIMITS).unwrap();
        let history: Vec<_> = observed.iter().map(|it| run(&limits[0], *it)).collect();
        let threshold = Threshold::parse("http_req_duration", "p(99)<300").unwrap();
        let bounds = bounds(&limits, &[threshold], &history);
        let told = bounds.into_iter().map(|it| {
            let text = format!("{} {} {} {}", it.name, it.bound, it.expected, it.basis);
            (text, it.level)
        });
        told.collect()
    }

    #[test]
    fn bounds_rest_on_what_earlier_runs_measured() {
        let none = forecast(&[]);
        assert!(none.iter().all(|(_, level)| level.is_none()), "{none:?}");
        assert!(none[0].0.contains("– no earlier run"), "{none:?}");
        let runs = [99.0, 100.0, 101.0, 100.0, 99.5, 100.5];
        let held = forecast(&runs);
        let limit = "p(95) of http_req_duration ≤ 150 ms 100 ms 6 earlier runs: 6 of 6 kept to it";
        assert_eq!(held[0], (limit.to_owned(), Some(Level::Pass)));
        let threshold = "http_req_duration p(99)<300 200 ms 6 earlier runs: 6 of 6 kept to it";
        assert_eq!(held[1], (threshold.to_owned(), Some(Level::Pass)));
    }

    #[test]
    fn a_range_that_reaches_beyond_its_bound_is_a_warning() {
        let levels = |observed: &[f64]| -> Vec<_> {
            let told = forecast(observed).into_iter();
            told.map(|(_, level)| level.unwrap()).collect()
        };
        assert_eq!(levels(&[149.0]), [Level::Warning, Level::Warning]);
        assert_eq!(levels(&[260.0]), [Level::Critical, Level::Fail]);
    }
}
