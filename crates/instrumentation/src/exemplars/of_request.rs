//! The values of one request that may become exemplars.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::SystemTime,
};

use super::{Exemplar, Series};
use crate::request::TraceIdText;

/// Values that wait for the end of one request, one for each bucket of a series. A summary has
/// some twenty; who has more gets exemplars for the first ones.
const MAX_WAITING: usize = 64;

/// Whether its trace is kept shows at its end.
const OPEN: u8 = 0;
/// Its trace is kept: what is measured of it as a whole, and what goes on of it.
const KEPT: u8 = 1;
/// Its trace is not kept: its values lead nowhere.
const DROPPED: u8 = 2;

/// None while its request is not traced: looked at for each value, so it takes no lock then.
#[derive(Debug, Default)]
pub(crate) struct OfRequest(OnceLock<Arc<Values>>);

/// What is noted for a request, and for work of it that outlives it.
#[derive(Debug)]
pub(crate) struct Values {
    trace_id: TraceIdText,
    state: AtomicU8,
    undecided: Mutex<Undecided>,
}

#[derive(Debug)]
struct Undecided {
    waiting: Vec<Waiting>,
    /// The request, its work, and the requests that the work answers too: each may have the trace
    /// kept when it ends.
    under_way: usize,
}

struct Waiting {
    series: Arc<Series>,
    bucket: usize,
    value: f64,
    at: SystemTime,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{}{} = {}",
            self.series.prefix, self.bucket, self.value
        )
    }
}

impl OfRequest {
    /// From here on its values are noted.
    pub(crate) fn open(&self, trace_id: TraceIdText) {
        self.0.get_or_init(|| Arc::new(Values::of(trace_id)));
    }

    /// Notes a value, in place of an earlier one of its bucket.
    pub(super) fn note(&self, series: &Arc<Series>, value: f64) {
        if let Some(values) = self.0.get() {
            values.note(series, value);
        }
    }

    /// The request is over: what was noted becomes exemplars if its trace is kept, unless something
    /// is under way that may have it kept yet.
    pub(crate) fn settle(&self, kept: bool) {
        if let Some(values) = self.0.get() {
            values.settle(kept);
        }
    }

    /// Its values, which are decided about with those of this work.
    pub(crate) fn values(&self) -> Option<Arc<Values>> {
        self.0.get().cloned()
    }
}

impl Values {
    fn of(trace_id: TraceIdText) -> Self {
        Self {
            trace_id,
            state: AtomicU8::new(OPEN),
            undecided: Mutex::new(Undecided {
                waiting: Vec::new(),
                under_way: 1,
            }),
        }
    }

    /// Something begins whose end may have the trace kept: it is settled then.
    pub(crate) fn hold(&self) {
        self.undecided().under_way += 1;
    }

    fn note(&self, series: &Arc<Series>, value: f64) {
        let state = self.state.load(Ordering::Acquire);
        if state == DROPPED || !value.is_finite() {
            return;
        }
        let at = SystemTime::now();
        if state == KEPT {
            series.recent.add(self.trace_id);
            self.keep(series, value, at);
            return;
        }
        let bucket = series.bucket(value);
        let noted = Waiting {
            series: Arc::clone(series),
            bucket,
            value,
            at,
        };
        let waiting = &mut self.undecided().waiting;
        let same = |one: &&mut Waiting| one.bucket == bucket && Arc::ptr_eq(&one.series, series);
        if let Some(earlier) = waiting.iter_mut().find(same) {
            *earlier = noted;
        } else if waiting.len() < MAX_WAITING {
            waiting.push(noted);
        }
    }

    /// See [`OfRequest::settle`].
    pub(crate) fn settle(&self, kept: bool) {
        let mut undecided = self.undecided();
        undecided.under_way = undecided.under_way.saturating_sub(1);
        let decided = self.state.load(Ordering::Acquire) != OPEN;
        if decided || !kept && undecided.under_way > 0 {
            return;
        }
        let state = if kept { KEPT } else { DROPPED };
        self.state.store(state, Ordering::Release);
        let waiting = std::mem::take(&mut undecided.waiting);
        drop(undecided);
        if !kept {
            return;
        }
        // All of them lead to the one trace.
        if let Some(noted) = waiting.first() {
            noted.series.recent.add(self.trace_id);
        }
        for noted in waiting {
            self.keep(&noted.series, noted.value, noted.at);
        }
    }

    fn keep(&self, series: &Series, value: f64, at: SystemTime) {
        series.keep(Exemplar {
            trace_id: self.trace_id,
            value,
            at,
        });
    }

    fn undecided(&self) -> MutexGuard<'_, Undecided> {
        self.undecided
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
