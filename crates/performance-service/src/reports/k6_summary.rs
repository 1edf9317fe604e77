//! The data that k6 hands to a script's `handleSummary`, for the tools that read it.

use serde_json::{Map, Value, json};

use super::Report;

pub(super) fn render(report: &Report) -> serde_json::Result<String> {
    let Some(results) = &report.results else {
        return serde_json::to_string(&json!({ "metrics": {} }));
    };
    let mut metrics = Map::new();
    for (name, metric) in &results.metrics {
        metrics.insert(name.clone(), serde_json::to_value(metric)?);
    }
    for (name, result) in &results.thresholds.results {
        let Some((metric, expression)) = name.rsplit_once(": ") else {
            continue;
        };
        let metric = metrics.entry(metric).or_insert_with(|| json!({}));
        metric["thresholds"][expression] = json!({ "ok": result.ok });
    }
    let checks: Vec<Value> = results
        .checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name,
                "path": format!("::{}", check.name),
                "passes": check.passes,
                "fails": check.fails,
            })
        })
        .collect();
    let document = json!({
        "root_group": { "name": "", "path": "", "groups": [], "checks": checks },
        "state": { "testRunDurationMs": results.coverage.load_seconds * 1_000.0 },
        "metrics": metrics,
    });
    serde_json::to_string(&document)
}
