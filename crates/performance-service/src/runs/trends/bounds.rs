//! What a series is drawn beside: the bounds of its test, and the baseline.

use load_analysis::limits::Window;
use load_analysis::results::Results;
use load_analysis::threshold::Threshold;
use load_analysis::verdict::Level;
use performance_store::{Run, RunStore};
use serde::Serialize;
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use crate::baselines::name_of;
use crate::comparing::measure;
use crate::problems;

/// What a measure was held against.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct BoundBody {
    /// `target` is what is wanted, `limit` the outer bound, `threshold` one of the script or the
    /// request.
    pub(crate) kind: &'static str,
    /// In k6's unit.
    pub(crate) value: f64,
}

/// Where a measure lies in a baseline, in k6's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub(crate) struct BandBody {
    /// The version in force.
    pub(crate) version: u64,
    /// The median of its runs.
    pub(crate) median: f64,
    /// The smallest figure.
    pub(crate) low: f64,
    /// The largest figure.
    pub(crate) high: f64,
}

/// The bounds that the latest run was judged by whose figures count.
pub(super) async fn of_latest(
    store: &RunStore,
    series: &[(Run, f64)],
    wanted: &str,
) -> Result<Vec<BoundBody>, Problem> {
    let counts = |run: &&Run| {
        let verdict = run.verdict.as_ref();
        verdict.is_some_and(|verdict| verdict.level != Level::Invalid)
    };
    let mut newest_first = series.iter().rev().map(|(run, _)| run);
    let Some(latest) = newest_first.find(counts) else {
        return Ok(Vec::new());
    };
    let results = store.results(&latest.address()).await;
    let results = results.map_err(problems::from_store)?;
    let results: Option<Results> = results.and_then(|json| serde_json::from_str(&json).ok());
    Ok(results.map_or_else(Vec::new, |results| bounds(&results, wanted)))
}

/// The limits and thresholds on all of a measure: those of its parts are other series.
fn bounds(results: &Results, wanted: &str) -> Vec<BoundBody> {
    let limits = results.limits.iter().map(|judged| &judged.limit);
    let whole = limits.filter(|limit| matches!(limit.window, Window::Run | Window::Steady));
    let of_measure =
        whole.filter(|limit| limit.tags.is_empty() && measure(&limit.metric, limit.stat) == wanted);
    let mut bounds = Vec::new();
    for limit in of_measure {
        let tiers = [("target", limit.target), ("limit", limit.warning)];
        let is_one = limit.target.total_cmp(&limit.warning).is_eq();
        let tiers = if is_one { &tiers[1..] } else { &tiers[..] };
        bounds.extend(tiers.iter().map(|(kind, value)| BoundBody {
            kind,
            value: *value,
        }));
    }
    let thresholds = results.thresholds.results.keys().filter_map(|name| {
        let (metric, expression) = name.rsplit_once(": ")?;
        let expression = Threshold::parse(metric, expression).ok()?.expression;
        (measure(metric, expression.statistic) == wanted).then_some(BoundBody {
            kind: "threshold",
            value: expression.bound,
        })
    });
    bounds.extend(thresholds);
    bounds
}

/// The baseline of these runs, if they all have the same one.
pub(super) async fn band(
    store: &RunStore,
    series: &[(Run, f64)],
    wanted: &str,
) -> Result<Option<BandBody>, Problem> {
    let Some((latest, _)) = series.last() else {
        return Ok(None);
    };
    let name = name_of(latest);
    if series.iter().any(|(run, _)| name_of(run) != name) {
        return Ok(None);
    }
    let in_force = store.baseline(&name).await.map_err(problems::from_store)?;
    let band = in_force.and_then(|version| {
        let centre = version.baseline.measures.get(wanted)?;
        Some(BandBody {
            version: version.version,
            median: centre.median,
            low: centre.min,
            high: centre.max,
        })
    });
    Ok(band)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bounds_are_those_of_all_requests() {
        let limit = |tags: &[&str], target: f64, warning: f64, window: &str| {
            let tags: serde_json::Map<_, _> = tags
                .iter()
                .map(|tag| ((*tag).to_owned(), json!("x")))
                .collect();
            json!({
                "limit": {
                    "metric": "http_req_duration", "tags": tags, "stat": "p(95)",
                    "target": target, "warning": warning, "unit": "ms", "priority": "P0",
                    "window": window, "better": "lower",
                },
                "level": "PASS", "samples": 1, "sentence": "",
            })
        };
        let held = json!({"ok": true, "samples": 1});
        let results: Results = serde_json::from_value(json!({
            "metrics": {}, "checks": [], "coverage": {},
            "thresholds": {"allPassed": true, "results": {
                "http_req_duration: p(95)<500": held,
                "http_req_duration: p(99)<600": held,
                "http_req_duration{name:a}: p(95)<700": held,
            }},
            "limits": [
                limit(&[], 150.0, 200.0, "steady"),
                limit(&[], 250.0, 250.0, "run"),
                limit(&["name"], 1.0, 2.0, "steady"),
                limit(&[], 3.0, 4.0, "every 30s"),
            ],
        }))
        .unwrap();
        let found: Vec<_> = bounds(&results, "http_req_duration p(95)")
            .iter()
            .map(|bound| (bound.kind, bound.value))
            .collect();
        let expected = [
            ("target", 150.0),
            ("limit", 200.0),
            ("limit", 250.0),
            ("threshold", 500.0),
        ];
        assert_eq!(found, expected);
    }
}
