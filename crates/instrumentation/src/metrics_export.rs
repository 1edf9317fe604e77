//! The process-wide metrics recorder and its text.

use std::{sync::Arc, time::Duration};

use metrics::{Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::task::JoinHandle;

use crate::{
    MetricSources,
    catalogue::{self, Kind},
    exemplars::{ExemplarRecorder, Exemplars, exposition::openmetrics},
    log_loss::LogLoss,
    process_metrics::ProcessMetrics,
};

/// How often recorded values are folded into their buckets when nobody scrapes: between two of
/// these they are kept one by one, so this bounds memory.
const UPKEEP: Duration = Duration::from_secs(1);

/// Renders what `/metrics` shows.
#[derive(Clone)]
pub struct MetricsText {
    exporter: PrometheusHandle,
    exemplars: Arc<Exemplars>,
}

impl MetricsText {
    /// The metrics in Prometheus' text format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.exporter.render()
    }

    /// The metrics as `OpenMetrics` 1.0, which has exemplars.
    #[must_use]
    pub fn render_openmetrics(&self) -> String {
        openmetrics(&self.render(), &self.exemplars)
    }

    pub(crate) fn exemplars(&self) -> Arc<Exemplars> {
        Arc::clone(&self.exemplars)
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
    let text = MetricsText {
        exporter: recorder.handle(),
        exemplars: Arc::new(Exemplars::new()),
    };
    let recorder = ExemplarRecorder {
        exporter: recorder,
        exemplars: text.exemplars(),
    };
    metrics::set_global_recorder(recorder).ok().map(|()| text)
}

/// Folds values, looks at the process and at what its log lost, until it is aborted.
pub(crate) fn spawn_upkeep(
    text: MetricsText,
    sources: MetricSources,
    log: LogLoss,
) -> JoinHandle<()> {
    let mut process = ProcessMetrics::new(sources);
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(UPKEEP);
        loop {
            interval.tick().await;
            process.observe();
            log.observe();
            text.exporter.run_upkeep();
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_cannot_leave_their_quotes() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let odd = "a\"} 1\nb{c=\"\\";
        metrics::with_local_recorder(&recorder, || {
            let labels = [("version", odd), ("checked_on", "")];
            catalogue::PRICE_CATALOGUE_INFO.gauge(&labels).set(1.0);
        });
        let text = recorder.handle().render();
        let lines = || text.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines().filter(|line| !line.is_empty()).count(), 1, "{text}");
        let escaped = r#"version="a\"} 1\nb{c=\"\\""#;
        assert!(text.contains(escaped), "{text}");
        assert!(
            openmetrics(&text, &Exemplars::new()).contains(escaped),
            "{text}"
        );
    }
}
