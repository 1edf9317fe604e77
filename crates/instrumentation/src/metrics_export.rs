//! The process-wide metrics recorder and its text.

use std::time::Duration;

use metrics::{Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::task::JoinHandle;

use crate::catalogue::{self, Kind};

/// How often recorded values are folded into their buckets when nobody scrapes: between two of
/// these they are kept one by one, so this bounds memory.
const UPKEEP: Duration = Duration::from_secs(1);

/// Renders what `/metrics` shows.
#[derive(Clone)]
pub struct MetricsText(PrometheusHandle);

impl MetricsText {
    /// The metrics in Prometheus' text format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// The metrics as `OpenMetrics` 1.0
    /// (<https://github.com/OpenObservability/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>).
    #[must_use]
    pub fn render_openmetrics(&self) -> String {
        openmetrics(&self.render())
    }
}

/// Installs the recorder for the process; later calls find it installed and return `None`.
pub(crate) fn install() -> Option<MetricsText> {
    let mut builder = PrometheusBuilder::new();
    for metric in catalogue::all().filter(|metric| metric.kind == Kind::Histogram) {
        let matcher = Matcher::Full(metric.prometheus.to_owned());
        builder = builder
            .set_buckets_for_metric(matcher, metric.buckets)
            .ok()?;
    }
    let recorder = builder.build_recorder();
    for metric in catalogue::all() {
        let (name, help) = (
            metric.prometheus.into(),
            SharedString::const_str(metric.help),
        );
        match metric.kind {
            Kind::Counter => recorder.describe_counter(name, None::<Unit>, help),
            Kind::Gauge => recorder.describe_gauge(name, None::<Unit>, help),
            Kind::Histogram => recorder.describe_histogram(name, None::<Unit>, help),
        }
    }
    let text = MetricsText(recorder.handle());
    metrics::set_global_recorder(recorder).ok().map(|()| text)
}

/// The same metrics in the other format: a counter's family has no `_total`, which only its samples
/// carry; there are no empty lines, and the end is marked.
fn openmetrics(text: &str) -> String {
    let mut converted = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.is_empty()) {
        match described(line) {
            Some((keyword, family, rest)) => {
                let family = family.strip_suffix("_total").unwrap_or(family);
                converted.extend([keyword, family, " ", rest]);
            }
            None => converted.push_str(line),
        }
        converted.push('\n');
    }
    converted.push_str("# EOF\n");
    converted
}

/// Keyword, family and the rest of a line that describes a family.
fn described(line: &str) -> Option<(&str, &str, &str)> {
    let (keyword, rest) = ["# HELP ", "# TYPE "]
        .into_iter()
        .find_map(|keyword| Some((keyword, line.strip_prefix(keyword)?)))?;
    let (family, rest) = rest.split_once(' ')?;
    Some((keyword, family, rest))
}

/// Folds values and looks at the process, until it is aborted.
pub(crate) fn spawn_upkeep(text: MetricsText) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut process = crate::process_metrics::ProcessMetrics::new();
        let mut interval = tokio::time::interval(UPKEEP);
        loop {
            interval.tick().await;
            process.observe();
            text.0.run_upkeep();
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_say_the_same() {
        let text = "# HELP a_total Of a_total.\n# TYPE a_total counter\na_total{x=\"y\"} 1\n\n\
                    # TYPE b gauge\nb 2\n\n";
        assert_eq!(
            openmetrics(text),
            "# HELP a Of a_total.\n# TYPE a counter\na_total{x=\"y\"} 1\n\
             # TYPE b gauge\nb 2\n# EOF\n"
        );
    }
}
