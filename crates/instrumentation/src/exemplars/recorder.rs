//! The layer between the facade and its exporter.

use std::sync::Arc;

use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use super::{Exemplars, Series};
use crate::request;

/// Units of a counter of dollars in one dollar.
const PICO: f64 = 1e12;

/// Hands everything on to `exporter`, and looks at the values of histograms and of dollars.
pub(crate) struct ExemplarRecorder<R> {
    pub(crate) exporter: R,
    pub(crate) exemplars: Arc<Exemplars>,
}

/// The values of one series.
struct Watched<T> {
    exported: T,
    series: Arc<Series>,
}

impl<T> Watched<T> {
    fn note(&self, value: f64) {
        request::with_current(|request| {
            request.exemplars.note(&self.series, value);
        });
    }
}

impl CounterFn for Watched<Counter> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "an exemplar is looked at, and never added up"
    )]
    fn increment(&self, value: u64) {
        self.exported.increment(value);
        if value > 0 {
            self.note(value as f64 / PICO);
        }
    }

    fn absolute(&self, value: u64) {
        self.exported.absolute(value);
    }
}

impl HistogramFn for Watched<Histogram> {
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
        let exported = self.exporter.register_counter(key, metadata);
        match self.exemplars.series(key) {
            Some(series) => Counter::from_arc(Arc::new(Watched { exported, series })),
            None => exported,
        }
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
        catalogue::{GEN_AI_QUEUE_DURATION, GEN_AI_SAVED_COST},
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
        identity.exemplars.open(identity.trace_id);
        let text = shown(&identity, || {
            identity.exemplars.settle(true);
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
                identity.exemplars.open(identity.trace_id);
            }
            let text = shown(&identity, || {
                identity.exemplars.settle(false);
            });
            assert!(!text.contains("trace_id"), "{text}");
        }
    }

    #[test]
    fn work_that_outlives_its_request_still_gives_exemplars() {
        let identity = identity();
        identity.exemplars.open(identity.trace_id);
        identity.exemplars.settle(true);
        assert!(shown(&identity, || ()).contains("trace_id"));
    }

    #[test]
    fn dollars_of_a_kept_trace_lead_to_it() {
        let exporter = PrometheusBuilder::new().build_recorder();
        let handle = exporter.handle();
        let exemplars = Arc::new(Exemplars::new());
        let recorder = ExemplarRecorder {
            exporter,
            exemplars: Arc::clone(&exemplars),
        };
        let labels = [("reason", "a\"b\nc"), ("simulated", "true")];
        let counter =
            metrics::with_local_recorder(&recorder, || GEN_AI_SAVED_COST.counter(&labels));
        let identity = identity();
        identity.exemplars.open(identity.trace_id);
        scope_sync(Arc::clone(&identity), || counter.increment(2_500_000_000));
        counter.increment(1);
        identity.exemplars.settle(true);
        let text = openmetrics(&handle.render(), &exemplars);
        let shown = "{reason=\"a\\\"b\\nc\",simulated=\"true\"} 2500000001 # {trace_id=\"4bf9";
        assert!(text.contains(shown), "{text}");
        assert!(text.contains("4736\"} 0.0025 "), "{text}");
    }

    #[test]
    fn values_wait_for_all_that_may_have_their_trace_kept() {
        for kept in [true, false] {
            let identity = identity();
            identity.exemplars.open(identity.trace_id);
            let values = identity.exemplars.values().unwrap();
            values.hold();
            values.hold();
            // Its caller leaves, and so does one who shares its work.
            identity.exemplars.settle(false);
            values.settle(false);
            let text = shown(&identity, || values.settle(kept));
            assert_eq!(text.contains("trace_id"), kept, "{text}");
        }
    }
}
