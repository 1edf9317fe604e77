//! Spans that wait for the end of their request, which decides whether their trace is kept.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use metrics::Counter;
use opentelemetry::{
    TraceFlags,
    trace::{SpanContext, Status, TraceId},
};
use opentelemetry_sdk::trace::SpanData;

use crate::catalogue::TELEMETRY_DROPPED_SPANS;

/// Traces that are held, those of which only the decision is remembered among them: the spans of
/// work that outlives its request come later.
const MAX_TRACES: usize = 4_096;

/// Spans that are held, of all traces: at one or two kilobytes each, about ten megabytes.
const MAX_SPANS: usize = 8_192;

/// Why a trace is kept that its head did not ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The request was answered with 5xx, or broke off.
    Fault,
    /// It took longer than its class of routes may.
    Slow,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Tail {
    held: Mutex<Held>,
    dropped: DroppedSpans,
}

#[derive(Debug, Default)]
struct Held {
    traces: HashMap<TraceId, Trace>,
    /// The traces from the oldest on.
    order: VecDeque<TraceId>,
    spans: usize,
}

#[derive(Debug)]
enum Trace {
    Open(Open),
    Kept,
    NotKept,
}

#[derive(Debug, Default)]
struct Open {
    spans: Vec<SpanData>,
    faulty: bool,
    /// Requests of the trace that are under way here: one caller may send several.
    requests: usize,
}

/// A counter, which says nothing of itself.
pub(super) struct DroppedSpans(Counter);

impl DroppedSpans {
    /// Of spans that a collector, or none in particular, does not get for this reason.
    pub(super) fn new(exporter: &str, reason: &str) -> Self {
        let labels = [("exporter", exporter), ("reason", reason)];
        let counter = TELEMETRY_DROPPED_SPANS.counter(&labels);
        // It shall be there before the first one is dropped.
        counter.increment(0);
        Self(counter)
    }

    pub(super) fn add(&self, spans: usize) {
        self.0.increment(u64::try_from(spans).unwrap_or(u64::MAX));
    }
}

impl std::fmt::Debug for DroppedSpans {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DroppedSpans")
    }
}

impl Reason {
    /// As the root's attribute has it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Slow => "slow",
        }
    }
}

impl Tail {
    pub(super) fn new() -> Self {
        Self {
            held: Mutex::default(),
            dropped: DroppedSpans::new("", "tail_full"),
        }
    }

    /// A request begins whose spans are to be held.
    pub(super) fn open(&self, trace_id: TraceId) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.traces.get_mut(&trace_id) {
            Some(Trace::Open(open)) => open.requests += 1,
            Some(Trace::Kept) => {}
            Some(trace) => *trace = Trace::Open(Open::of_one_request()),
            None => held.insert(trace_id, Trace::Open(Open::of_one_request())),
        }
        self.dropped.add(held.make_room());
    }

    /// Takes a span that has ended; gives it back if its trace is kept already.
    pub(super) fn hold(&self, span: SpanData) -> Option<SpanData> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.traces.get_mut(&span.span_context.trace_id()) {
            Some(Trace::Open(open)) => {
                open.faulty |= is_faulty(&span);
                open.spans.push(span);
                held.spans += 1;
                self.dropped.add(held.make_room());
                None
            }
            Some(Trace::Kept) => Some(sampled(span)),
            Some(Trace::NotKept) => None,
            None => {
                self.dropped.add(1);
                None
            }
        }
    }

    /// A request is over. Whether its trace is kept, and the spans that waited for this.
    pub(super) fn settle(&self, id: TraceId, reason: Option<Reason>) -> (bool, Vec<SpanData>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(trace) = held.traces.get_mut(&id) else {
            // It lost its place; its root, which has not ended yet, may still be told.
            if reason.is_some() {
                held.insert(id, Trace::Kept);
                self.dropped.add(held.make_room());
            }
            return (reason.is_some(), Vec::new());
        };
        let Trace::Open(open) = trace else {
            return (matches!(trace, Trace::Kept), Vec::new());
        };
        open.requests = open.requests.saturating_sub(1);
        let kept = open.faulty || reason.is_some();
        if !kept && open.requests > 0 {
            return (false, Vec::new());
        }
        let spans = std::mem::take(&mut open.spans);
        *trace = if kept { Trace::Kept } else { Trace::NotKept };
        held.spans -= spans.len();
        drop(held);
        let spans = spans.into_iter().filter(|_| kept).map(sampled);
        (kept, spans.collect())
    }
}

impl Open {
    fn of_one_request() -> Self {
        Self {
            requests: 1,
            ..Self::default()
        }
    }
}

impl Held {
    fn insert(&mut self, trace_id: TraceId, trace: Trace) {
        self.traces.insert(trace_id, trace);
        self.order.push_back(trace_id);
    }

    /// Drops the oldest traces until the bounds hold; how many spans they had.
    fn make_room(&mut self) -> usize {
        let before = self.spans;
        while self.spans > MAX_SPANS || self.order.len() > MAX_TRACES {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some(Trace::Open(open)) = self.traces.remove(&oldest) {
                self.spans -= open.spans.len();
            }
        }
        before - self.spans
    }
}

/// Whether something failed in a span. A caller that leaves is no fault of ours.
fn is_faulty(span: &SpanData) -> bool {
    let error = span.attributes.iter().rev();
    let error = error
        .filter(|attribute| attribute.key.as_str() == "error.type")
        .map(|attribute| attribute.value.as_str())
        .next();
    match error.as_deref() {
        Some("cancelled") => false,
        Some("") | None => matches!(span.status, Status::Error { .. }),
        Some(_) => true,
    }
}

/// The span as that of a trace that was sampled from its beginning.
fn sampled(mut span: SpanData) -> SpanData {
    let ids = &span.span_context;
    span.span_context = SpanContext::new(
        ids.trace_id(),
        ids.span_id(),
        ids.trace_flags() | TraceFlags::SAMPLED,
        ids.is_remote(),
        ids.trace_state().clone(),
    );
    span
}

#[cfg(test)]
mod tests;
