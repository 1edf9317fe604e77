//! Work that is done once for several requests.
//!
//! Its spans stand in the trace of the request that began it. The others name that trace, and it is
//! not decided before the work and all of them have ended: if one of theirs is kept, it is. With it
//! are the exemplars of what the work measured, also after the one who began it has left.

use std::sync::Arc;

use opentelemetry::{TraceId, trace::SpanContext};

use crate::{
    exemplars::Values,
    request::{self, TraceIdText},
    span::current_ids,
    traces::{self, Traces},
};

/// Work under way, begun by the current request. Dropped, it is over.
#[derive(Debug)]
pub struct SharedWork(WorkTrace);

/// Where the spans of work stand.
#[derive(Debug, Clone)]
pub struct WorkTrace {
    trace_id: TraceIdText,
    /// The span of the request that began it; invalid where there is none.
    span: SpanContext,
    /// What was measured of both; none where the request is not traced.
    values: Option<Arc<Values>>,
}

impl SharedWork {
    /// Begins; `None` outside a request.
    #[must_use]
    pub fn begin() -> Option<Self> {
        let identity = request::current()?;
        let work = WorkTrace {
            trace_id: identity.trace_id,
            span: current_ids(),
            values: identity.exemplars.values(),
        };
        work.hold();
        Some(Self(work))
    }

    /// For those who join.
    #[must_use]
    pub fn trace(&self) -> WorkTrace {
        self.0.clone()
    }
}

impl Drop for SharedWork {
    fn drop(&mut self) {
        if let Some(traces) = traces::current() {
            self.0.leave(traces, false);
        }
    }
}

impl WorkTrace {
    /// The current request is answered by this work: its span and its log line say so.
    pub fn join(&self) {
        request::with_current(|identity| {
            if identity.shared_work.set(self.clone()).is_ok() {
                self.hold();
            }
        });
    }

    pub(crate) const fn trace_id(&self) -> TraceIdText {
        self.trace_id
    }

    /// The span of the request that began it, for a link to it.
    pub(crate) fn span(&self) -> Option<&SpanContext> {
        Some(&self.span).filter(|span| span.is_valid())
    }

    /// What was said by [`Self::hold`] is over; `wanted` if the trace is to be kept.
    pub(crate) fn leave(&self, traces: &Traces, wanted: bool) {
        if let Some(trace_id) = self.undecided() {
            // Of one that lost its place the spans are gone, and exemplars would lead nowhere.
            let is_known = traces.knows(trace_id);
            let kept = traces.settle(trace_id, wanted);
            if let Some(values) = &self.values {
                values.settle(kept && is_known);
            }
        }
    }

    fn hold(&self) {
        if let Some(traces) = traces::current()
            && let Some(trace_id) = self.undecided()
        {
            traces.open(trace_id);
            if let Some(values) = &self.values {
                values.hold();
            }
        }
    }

    /// The trace, if its head did not ask for it.
    fn undecided(&self) -> Option<TraceId> {
        let undecided = self.span.is_valid() && !self.span.is_sampled();
        undecided.then(|| self.span.trace_id())
    }
}
