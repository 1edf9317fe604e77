//! The layer between the facade and its exporter.

use std::sync::Arc;

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use super::{Exemplars, Series};
use crate::request;

/// Hands everything on to `exporter`, and looks at the values of histograms.
pub(crate) struct ExemplarRecorder<R> {
    pub(crate) exporter: R,
    pub(crate) exemplars: Arc<Exemplars>,
}

/// The values of one series.
struct Watched {
    exported: Histogram,
    series: Arc<Series>,
}

impl Watched {
    fn note(&self, value: f64) {
        request::with_current(|request| {
            request
                .exemplars
                .note(request.trace_id, &self.series, value);
        });
    }
}

impl HistogramFn for Watched {
    fn record(&self, value: f64) {
        self.exported.record(value);
        self.note(value);
    }

    fn record_many(&self, value: f64, count: usize) {
        self.exported.record_many(value, count);
        self.note(value);
    }
}

impl<R: Recorder> Recorder for ExemplarRecorder<R> {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.exporter.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.exporter.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.exporter.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.exporter.register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.exporter.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let exported = self.exporter.register_histogram(key, metadata);
        match self.exemplars.series(key) {
            Some(series) => Histogram::from_arc(Arc::new(Watched { exported, series })),
            None => exported,
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::{
        catalogue::GEN_AI_QUEUE_DURATION,
        exemplars::exposition::openmetrics,
        request::{RequestIdentity, TraceIdText, scope_sync},
    };

    const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

    fn identity() -> Arc<RequestIdentity> {
        Arc::new(RequestIdentity::new(TraceIdText::new(TRACE)))
    }

    /// Records a value within `identity`'s request, after which `end` ends it; what is shown then.
    fn shown(identity: &Arc<RequestIdentity>, end: impl FnOnce()) -> String {
        let exporter = PrometheusBuilder::new()
            .set_buckets(GEN_AI_QUEUE_DURATION.buckets)
            .unwrap()
            .build_recorder();
        let handle = exporter.handle();
        let exemplars = Arc::new(Exemplars::new());
        let recorder = ExemplarRecorder {
            exporter,
            exemplars: Arc::clone(&exemplars),
        };
        let labels = [("gen_ai.provider.name", "a\"b\nc\\d")];
        let histogram =
            metrics::with_local_recorder(&recorder, || GEN_AI_QUEUE_DURATION.histogram(&labels));
        scope_sync(Arc::clone(identity), || histogram.record(0.003));
        histogram.record(0.004);
        end();
        openmetrics(&handle.render(), &exemplars)
    }

    #[test]
    fn a_kept_trace_gives_exemplars_where_its_values_are_counted() {
        let identity = identity();
        identity.exemplars.open();
        let text = shown(&identity, || {
            identity.exemplars.settle(identity.trace_id, true);
        });
        let with: Vec<&str> = text.lines().filter(|line| line.contains(" # {")).collect();
        assert_eq!(with.len(), 1, "{text}");
        let bucket = "{gen_ai_provider_name=\"a\\\"b\\nc\\\\d\",le=\"0.005\"} 2";
        assert!(
            with[0].contains(&format!("{bucket} # {{trace_id=\"4bf9")),
            "{text}"
        );
        assert!(with[0].contains("4736\"} 0.003 "), "{text}");
    }

    #[test]
    fn a_trace_that_is_dropped_and_one_that_is_not_recorded_give_none() {
        for opened in [true, false] {
            let identity = identity();
            if opened {
                identity.exemplars.open();
            }
            let text = shown(&identity, || {
                identity.exemplars.settle(identity.trace_id, false);
            });
            assert!(!text.contains("trace_id"), "{text}");
        }
    }

    #[test]
    fn work_that_outlives_its_request_still_gives_exemplars() {
        let identity = identity();
        identity.exemplars.open();
        identity.exemplars.settle(identity.trace_id, true);
        assert!(shown(&identity, || ()).contains("trace_id"));
    }
}
