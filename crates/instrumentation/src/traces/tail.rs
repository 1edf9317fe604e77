//! Spans that wait for the end of their request, which decides whether their trace is kept.

mod held;

use std::sync::{Mutex, PoisonError};

use metrics::Counter;
use opentelemetry::{
    TraceFlags,
    trace::{SpanContext, Status, TraceId},
};
use opentelemetry_sdk::trace::SpanData;

use crate::catalogue::TELEMETRY_DROPPED_SPANS;
use held::{Held, Trace};

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

    /// Work begins whose spans are to be held until it is settled: a request, or what outlives it.
    pub(super) fn open(&self, trace_id: TraceId) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.dropped.add(held.open(trace_id));
    }

    /// Takes a span that has ended; gives it back if its trace is kept already.
    pub(super) fn hold(&self, span: SpanData) -> Option<SpanData> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get(span.span_context.trace_id()) {
            Some(Trace::Open(_)) => {
                let faulty = is_faulty(&span);
                self.dropped.add(held.push(span, faulty));
                None
            }
            Some(Trace::Decided { kept: true, .. }) => Some(marked(span)),
            Some(Trace::Decided { kept: false, .. }) => None,
            None => {
                self.dropped.add(1);
                None
            }
        }
    }

    pub(super) fn knows(&self, id: TraceId) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(id).is_some()
    }

    /// Work of a trace is over. Whether the trace is kept, and the spans that waited for this.
    ///
    /// Who wants it kept gets that whatever was decided: it may have lost its place, or another
    /// request of it may have ended before. What has not ended yet, its root at least, is told then.
    pub(super) fn settle(&self, id: TraceId, wanted: bool) -> (bool, Vec<SpanData>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match held.get(id) {
            Some(Trace::Open(open)) => open,
            Some(Trace::Decided { kept: true, .. }) => return (true, Vec::new()),
            Some(Trace::Decided { kept: false, .. }) | None => {
                if wanted {
                    held.decide(id, true);
                }
                return (wanted, Vec::new());
            }
        };
        open.under_way = open.under_way.saturating_sub(1);
        let kept = open.faulty || wanted;
        if !kept && open.under_way > 0 {
            return (false, Vec::new());
        }
        let spans = held.decide(id, kept);
        drop(held);
        let spans = spans.into_iter().filter(|_| kept).map(marked);
        (kept, spans.collect())
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
fn marked(mut span: SpanData) -> SpanData {
    span.span_context = sampled(&span.span_context);
    span
}

/// The same ids in a trace that is sampled.
pub(crate) fn sampled(ids: &SpanContext) -> SpanContext {
    SpanContext::new(
        ids.trace_id(),
        ids.span_id(),
        ids.trace_flags() | TraceFlags::SAMPLED,
        ids.is_remote(),
        ids.trace_state().clone(),
    )
}

#[cfg(test)]
mod tests;
