//! The latest traced value of each bucket: what leads from a chart to a trace.
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
    catalogue::{self, Kind},
    request::TraceIdText,
};

pub(crate) use of_request::OfRequest;
use recent::Recent;
pub(crate) use recorder::ExemplarRecorder;

/// Series that may have exemplars; those beyond have none. At about 70 bytes for each of some
/// twenty buckets this is six megabytes, and twice what the services show after a long load test.
const MAX_SERIES: usize = 4_096;

/// The exemplars of a process, by series.
pub(crate) struct Exemplars {
    bounds: HashMap<&'static str, &'static [f64]>,
    series: RwLock<HashMap<Key, Arc<Series>>>,
    recent: Arc<Recent>,
}

/// One series of a histogram.
pub(crate) struct Series {
    /// What the exporter writes for a bucket of it, up to the bucket's bound.
    prefix: String,
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
    /// None yet, for the histograms of the catalogue.
    pub(crate) fn new() -> Self {
        let histograms = catalogue::all().filter(|metric| metric.kind == Kind::Histogram);
        Self {
            bounds: histograms
                .map(|metric| (metric.prometheus, metric.buckets))
                .collect(),
            series: RwLock::default(),
            recent: Arc::default(),
        }
    }

    /// The series of a key; `None` for what is not in the catalogue, and beyond the bound.
    fn series(&self, key: &Key) -> Option<Arc<Series>> {
        let known = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(key) {
            return Some(Arc::clone(series));
        }
        drop(known);
        let bounds = *self.bounds.get(key.name())?;
        let mut known = self.series.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_SERIES && !known.contains_key(key) {
            return None;
        }
        let series = known.entry(key.clone()).or_insert_with(|| {
            Arc::new(Series {
                prefix: prefix(key),
                bounds,
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

fn prefix(key: &Key) -> String {
    let mut prefix = format!("{}_bucket{{", key.name());
    for label in key.labels() {
        let (name, value) = (
            sanitize_label_key(label.key()),
            sanitize_label_value(label.value()),
        );
        prefix.push_str(&format!("{name}=\"{value}\","));
    }
    prefix.push_str("le=\"");
    prefix
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
