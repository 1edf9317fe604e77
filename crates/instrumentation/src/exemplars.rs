//! The latest traced value of each bucket: what leads from a chart to a trace.
//!
//! Neither the `metrics` facade nor its exporter knows exemplars. So a layer between the two
//! ([`ExemplarRecorder`]) hands every value on and, if it belongs to a request that is traced,
//! notes it with the request. When the request is over and its trace is kept, the noted values
//! become exemplars; [`exposition`] adds them to the text that the exporter makes.

pub(crate) mod exposition;
mod of_request;
mod recorder;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};

use metrics::Key;
use metrics_exporter_prometheus::formatting::{sanitize_label_key, sanitize_label_value};

use crate::{
    catalogue::{self, Kind},
    request::TraceIdText,
};

pub(crate) use of_request::OfRequest;
pub(crate) use recorder::ExemplarRecorder;

/// Series that may have exemplars; those beyond have none. At about 70 bytes for each of some
/// twenty buckets this is six megabytes, and twice what the services show after a long load test.
const MAX_SERIES: usize = 4_096;

/// Traces that are remembered to be looked up: enough for a ratio in half percents.
const MAX_RECENT: usize = 200;

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

/// The traces that exemplars lead to, the latest at the end.
#[derive(Default)]
struct Recent(Mutex<VecDeque<(TraceIdText, Instant)>>);

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

    /// The traces of the latest exemplars, at most 200, without those of the last `age`, which may
    /// still be on their way to the trace store.
    pub(crate) fn recent(&self, age: Duration) -> Vec<TraceIdText> {
        let recent = self.recent.0.lock();
        let recent = recent.unwrap_or_else(PoisonError::into_inner);
        let settled = recent.iter().filter(|(_, at)| at.elapsed() >= age);
        settled.map(|(trace_id, _)| *trace_id).collect()
    }
}

impl Series {
    /// The bucket that counts a value.
    fn bucket(&self, value: f64) -> usize {
        self.bounds.partition_point(|bound| *bound < value)
    }

    fn keep(&self, exemplar: Exemplar) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.is_empty() {
            latest.resize(self.bounds.len() + 1, None);
        }
        if let Some(place) = latest.get_mut(self.bucket(exemplar.value)) {
            *place = Some(exemplar);
        }
        drop(latest);
        self.recent.add(exemplar.trace_id);
    }

    fn exemplar(&self, bucket: usize) -> Option<Exemplar> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest.get(bucket)?
    }
}

impl Recent {
    /// The values of one trace come together: only its first is looked for.
    fn add(&self, trace_id: TraceIdText) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.back().is_some_and(|(last, _)| *last == trace_id) {
            return;
        }
        if recent.len() >= MAX_RECENT {
            recent.pop_front();
        }
        recent.push_back((trace_id, Instant::now()));
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
    fn the_latest_traces_are_remembered_once_each() {
        let exemplars = Exemplars::new();
        let series = exemplars.series(&key(0)).unwrap();
        for number in 1..=300_u128 {
            for value in [0.001, 0.2] {
                series.keep(Exemplar {
                    trace_id: TraceIdText::new(number),
                    value,
                    at: SystemTime::now(),
                });
            }
        }
        let recent = exemplars.recent(Duration::ZERO);
        assert_eq!(recent.len(), MAX_RECENT);
        assert_eq!(recent.first(), Some(&TraceIdText::new(101)));
        assert!(exemplars.recent(Duration::from_secs(60)).is_empty());
    }
}
