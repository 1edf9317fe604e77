//! The values of one request that may become exemplars.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::SystemTime,
};

use super::{Exemplar, Series};
use crate::request::TraceIdText;

/// Values that wait for the end of one request, one for each bucket of a series. A summary has
/// some twenty; who has more gets exemplars for the first ones.
const MAX_WAITING: usize = 64;

/// The request is not traced: its values lead nowhere. Looked at for each value, so it takes no
/// lock.
const UNTRACED: u8 = 0;
/// Whether its trace is kept shows at its end.
const OPEN: u8 = 1;
/// It is over, its trace is kept, and work that it began goes on.
const KEPT: u8 = 2;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct OfRequest {
    state: AtomicU8,
    waiting: Mutex<Vec<Waiting>>,
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
    pub(crate) fn open(&self) {
        self.state.store(OPEN, Ordering::Release);
    }

    /// Notes a value, in place of an earlier one of its bucket.
    pub(super) fn note(&self, trace_id: TraceIdText, series: &Arc<Series>, value: f64) {
        let state = self.state.load(Ordering::Acquire);
        if state == UNTRACED || !value.is_finite() {
            return;
        }
        let at = SystemTime::now();
        if state == KEPT {
            series.keep(Exemplar {
                trace_id,
                value,
                at,
            });
            return;
        }
        let bucket = series.bucket(value);
        let noted = Waiting {
            series: Arc::clone(series),
            bucket,
            value,
            at,
        };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &&mut Waiting| one.bucket == bucket && Arc::ptr_eq(&one.series, series);
        if let Some(earlier) = waiting.iter_mut().find(same) {
            *earlier = noted;
        } else if waiting.len() < MAX_WAITING {
            waiting.push(noted);
        }
    }

    /// The request is over: what was noted becomes exemplars if its trace is kept.
    pub(crate) fn settle(&self, trace_id: TraceIdText, kept: bool) {
        let state = if kept { KEPT } else { UNTRACED };
        self.state.store(state, Ordering::Release);
        let waiting = self.waiting.lock();
        let waiting = std::mem::take(&mut *waiting.unwrap_or_else(PoisonError::into_inner));
        if !kept {
            return;
        }
        // All of them lead to the one trace.
        if let Some(noted) = waiting.first() {
            noted.series.recent.add(trace_id);
        }
        for noted in waiting {
            noted.series.keep(Exemplar {
                trace_id,
                value: noted.value,
                at: noted.at,
            });
        }
    }
}
