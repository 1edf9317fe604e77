//! The latest traced value of each bucket, and the latest dollars of a counter: what leads from a
//! chart to a trace.
//!
//! Neither the `metrics` facade nor its exporter knows exemplars. So a layer between the two
//! ([`ExemplarRecorder`]) hands every value on and, if it belongs to a request that is traced,
//! notes it with the request. When the request is over and its trace is kept, the noted values
//! become exemplars; [`exposition`] adds them to the text that the exporter makes.

pub(crate) mod exposition;
mod of_request;
mod recent;
mod recorder;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::SystemTime,
};

use metrics::Key;
use metrics_exporter_prometheus::formatting::{sanitize_label_key, sanitize_label_value};

use crate::{
    catalogue::{self, Kind, Metric},
    request::TraceIdText,
};

pub(crate) use of_request::{OfRequest, Values};
use recent::Recent;
pub(crate) use recorder::ExemplarRecorder;

/// Series that may have exemplars; those beyond have none. At about 70 bytes for each of some
/// twenty buckets this is six megabytes, and twice what the services show after a long load test.
const MAX_SERIES: usize = 4_096;

/// Counters have theirs among them; of dollars there may be as many series as payers.
const MAX_COUNTERS: usize = 1_024;

/// Counters with exemplars: those of the dollars of single calls, which are charted per minute. There is one for each
/// series, the latest, and its value is dollars.
static COUNTERS: [&Metric; 3] = [
    &catalogue::GEN_AI_COST,
    &catalogue::GEN_AI_SAVED_COST,
    &catalogue::SIMULATOR_INVOICE,
];

/// The exemplars of a process, by series.
pub(crate) struct Exemplars {
    families: HashMap<&'static str, &'static Metric>,
    series: RwLock<HashMap<Key, Arc<Series>>>,
    recent: Arc<Recent>,
}

/// One series of a histogram, or of a counter.
pub(crate) struct Series {
    /// What the exporter writes for a bucket of it, up to the bucket's bound; for a counter, up to the
    /// end of the last label's value.
    prefix: String,
    /// Of a counter there are none: all its values lie in one bucket.
    bounds: &'static [f64],
    /// By bucket; empty until there is one.
    latest: Mutex<Vec<Option<Exemplar>>>,
    recent: Arc<Recent>,
}

/// A value and the trace that it belongs to.
#[derive(Debug, Clone, Copy)]
struct Exemplar {
    trace_id: TraceIdText,
    value: f64,
    at: SystemTime,
}

impl Exemplars {
    /// None yet, for the histograms of the catalogue, and its counters of dollars.
    pub(crate) fn new() -> Self {
        let histograms = catalogue::all().filter(|metric| metric.kind == Kind::Histogram);
        Self {
            families: histograms
                .chain(COUNTERS)
                .map(|metric| (metric.prometheus, metric))
                .collect(),
            series: RwLock::default(),
            recent: Arc::default(),
        }
    }

    /// The series of a key; `None` for what has no exemplars, and beyond the bounds.
    fn series(&self, key: &Key) -> Option<Arc<Series>> {
        let known = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(key) {
            return Some(Arc::clone(series));
        }
        drop(known);
        let family = self.families.get(key.name())?;
        let mut known = self.series.write().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(key) && is_full(&known, family) {
            return None;
        }
        let series = known.entry(key.clone()).or_insert_with(|| {
            Arc::new(Series {
                prefix: prefix(key, family.kind),
                bounds: family.buckets,
                latest: Mutex::default(),
                recent: Arc::clone(&self.recent),
            })
        });
        Some(Arc::clone(series))
    }

    /// The traces of late exemplars, at most 200, without those that may still be on their way to
    /// the trace store.
    pub(crate) fn arrived(&self) -> Vec<TraceIdText> {
        self.recent.arrived()
    }
}

impl Series {
    /// The bucket that counts a value.
    fn bucket(&self, value: f64) -> usize {
        self.bounds.partition_point(|bound| *bound < value)
    }

    /// Makes a value the exemplar of its bucket, unless a later one is there: those of a long request
    /// come at its end, and Prometheus refuses what is older than it has.
    fn keep(&self, exemplar: Exemplar) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.is_empty() {
            latest.resize(self.bounds.len() + 1, None);
        }
        if let Some(place) = latest.get_mut(self.bucket(exemplar.value))
            && place.is_none_or(|shown| shown.at <= exemplar.at)
        {
            *place = Some(exemplar);
        }
    }

    fn exemplar(&self, bucket: usize) -> Option<Exemplar> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest.get(bucket)?
    }
}

/// Whether there is no room for one more series of this kind.
fn is_full(known: &HashMap<Key, Arc<Series>>, family: &Metric) -> bool {
    let counters = || known.values().filter(|series| series.bounds.is_empty());
    known.len() >= MAX_SERIES
        || (family.kind == Kind::Counter && counters().count() >= MAX_COUNTERS)
}

fn prefix(key: &Key, kind: Kind) -> String {
    let labels: Vec<String> = key.labels().map(label).collect();
    let (name, labels) = (key.name(), labels.join("\","));
    match kind {
        Kind::Counter | Kind::Gauge => format!("{name}{{{labels}"),
        Kind::Histogram if labels.is_empty() => format!("{name}_bucket{{le=\""),
        Kind::Histogram => format!("{name}_bucket{{{labels}\",le=\""),
    }
}

/// A label up to the end of its value.
fn label(label: &metrics::Label) -> String {
    let (name, value) = (
        sanitize_label_key(label.key()),
        sanitize_label_value(label.value()),
    );
    format!("{name}=\"{value}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(number: usize) -> Key {
        let name = catalogue::HTTP_SERVER_REQUEST_DURATION.prometheus;
        Key::from_parts(name, vec![metrics::Label::new("n", number.to_string())])
    }

    #[test]
    fn series_beyond_the_bound_have_no_exemplars() {
        let exemplars = Exemplars::new();
        for number in 0..MAX_SERIES {
            assert!(exemplars.series(&key(number)).is_some());
        }
        assert!(exemplars.series(&key(MAX_SERIES)).is_none());
        assert!(exemplars.series(&key(0)).is_some());
        assert!(exemplars.series(&Key::from_name("not_ours")).is_none());
    }

    #[test]
    fn counters_leave_room_for_histograms() {
        let exemplars = Exemplars::new();
        let counter = |number: usize| {
            let name = catalogue::GEN_AI_COST.prometheus;
            Key::from_parts(name, vec![metrics::Label::new("n", number.to_string())])
        };
        for number in 0..MAX_COUNTERS {
            assert!(exemplars.series(&counter(number)).is_some());
        }
        assert!(exemplars.series(&counter(MAX_COUNTERS)).is_none());
        assert!(exemplars.series(&counter(0)).is_some());
        assert!(exemplars.series(&key(0)).is_some());
    }

    #[test]
    fn an_older_value_takes_no_place() {
        let exemplars = Exemplars::new();
        let series = exemplars.series(&key(0)).unwrap();
        let now = SystemTime::now();
        for (number, seconds_ago) in [(1, 2), (2, 0), (3, 1)] {
            series.keep(Exemplar {
                trace_id: TraceIdText::new(number),
                value: 0.001,
                at: now - Duration::from_secs(seconds_ago),
            });
        }
        let shown = series.exemplar(series.bucket(0.001)).unwrap();
        assert_eq!(shown.trace_id, TraceIdText::new(2));
    }
}
