//! The files that a run leaves: k6 has two shapes for its summary, and we have a third.

use std::collections::BTreeMap;

use load_analysis::metric::{Contains, MetricKind};
use load_analysis::results::MetricResult;
use serde_json::{Map, Value};

/// Figures of a whole run, and what was said of its thresholds.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) metrics: BTreeMap<String, MetricResult>,
    /// By `metric: expression`.
    pub(super) thresholds: BTreeMap<String, bool>,
}

impl Summary {
    /// Reads what k6 hands to `handleSummary` (`values` under each metric, `ok` under each
    /// threshold), what `--summary-export` writes (values beside each other, thresholds that are
    /// *true when crossed*), or a JSON report or results document of ours.
    ///
    /// # Errors
    /// It is none of them.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text).map_err(|error| {
            format!("is no JSON document ({error}); samples of --out json are no summary")
        })?;
        let ours = &document["run"]["results"];
        let document = if ours.is_object() { ours } else { &document };
        let of_newer = document["results"]["metrics"].is_array();
        if of_newer {
            return Err(
                "is k6's machine-readable summary, which has neither thresholds nor most \
                        percentiles; write what handleSummary is given"
                    .to_owned(),
            );
        }
        let metrics = document["metrics"].as_object();
        let metrics = metrics.ok_or("is no summary of k6: it has no `metrics`")?;
        let mut summary = Self {
            metrics: BTreeMap::new(),
            thresholds: BTreeMap::new(),
        };
        for (name, metric) in metrics {
            summary.add(name, metric);
        }
        for (name, result) in document["thresholds"]["results"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let held = result["ok"].as_bool().unwrap_or(false);
            summary.thresholds.insert(name.clone(), held);
        }
        Ok(summary)
    }

    fn add(&mut self, name: &str, metric: &Value) {
        let typed = metric["values"].as_object();
        for (expression, said) in metric["thresholds"].as_object().into_iter().flatten() {
            let held = match said {
                Value::Bool(crossed) => !crossed,
                said => said["ok"].as_bool().unwrap_or(false),
            };
            self.thresholds
                .insert(format!("{name}: {expression}"), held);
        }
        let Some(members) = typed.or_else(|| metric.as_object()) else {
            return;
        };
        let mut values = numbers(members);
        let told = serde_json::from_value(metric["type"].clone()).ok();
        let Some(kind) = told.or_else(|| kind_of(&values)) else {
            return;
        };
        if let (MetricKind::Rate, Some(rate)) = (kind, values.get("value").copied()) {
            values.entry("rate".to_owned()).or_insert(rate);
        }
        let contains = serde_json::from_value(metric["contains"].clone());
        let metric = MetricResult {
            kind,
            contains: contains.unwrap_or(Contains::Default),
            values,
        };
        self.metrics.insert(name.to_owned(), metric);
    }
}

fn numbers(members: &Map<String, Value>) -> BTreeMap<String, f64> {
    let numbers = members
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
    numbers.collect()
}

/// What a metric without its type is, by the statistics that only its kind has.
fn kind_of(values: &BTreeMap<String, f64>) -> Option<MetricKind> {
    let has = |name: &str| values.contains_key(name);
    if has("avg") || has("med") {
        Some(MetricKind::Trend)
    } else if has("passes") {
        Some(MetricKind::Rate)
    } else if has("count") {
        Some(MetricKind::Counter)
    } else if has("value") {
        Some(MetricKind::Gauge)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDED: &str = r#"{"metrics":{
        "http_req_duration":{"type":"trend","contains":"time","values":{"p(95)":12.5,"max":20},
            "thresholds":{"p(95)<500":{"ok":true}}},
        "checks":{"type":"rate","contains":"default","values":{"rate":0.5,"passes":1,"fails":1},
            "thresholds":{"rate>0.9":{"ok":false}}}}}"#;
    const EXPORTED: &str = r#"{"metrics":{
        "http_req_duration":{"avg":9,"p(95)":12.5,"max":20,"thresholds":{"p(95)<500":false}},
        "checks":{"value":0.5,"passes":1,"fails":1,"thresholds":{"rate>0.9":true}},
        "vus":{"value":1,"min":1,"max":1},
        "http_reqs":{"count":2,"rate":1}}}"#;

    #[test]
    fn both_shapes_of_k6_tell_the_same() {
        for text in [HANDED, EXPORTED] {
            let summary = Summary::parse(text).unwrap();
            let value = |metric: &str, stat: &str| summary.metrics[metric].values[stat];
            assert!((value("http_req_duration", "p(95)") - 12.5).abs() < 1e-9);
            assert!((value("checks", "rate") - 0.5).abs() < 1e-9);
            assert_eq!(summary.metrics["checks"].kind, MetricKind::Rate);
            let held: Vec<bool> = summary.thresholds.values().copied().collect();
            assert_eq!(held, [false, true], "{:?}", summary.thresholds);
        }
    }

    #[test]
    fn a_report_of_ours_is_read_too() {
        let text = r#"{"run":{"results":{"metrics":{},"thresholds":
            {"results":{"checks: rate>0.9":{"ok":false,"samples":2}}}}}}"#;
        assert!(!Summary::parse(text).unwrap().thresholds["checks: rate>0.9"]);
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        for (text, reason) in [
            ("{\"type\":\"Metric\"}\n{}", "--out json"),
            ("{}", "no `metrics`"),
            ("{\"results\":{\"metrics\":[]}}", "machine-readable"),
        ] {
            let failure = Summary::parse(text).unwrap_err();
            assert!(failure.contains(reason), "{failure}");
        }
    }
}
