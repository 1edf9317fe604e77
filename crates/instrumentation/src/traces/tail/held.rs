//! What is held and what is remembered, each within its bound.

use std::collections::{BTreeMap, HashMap};

use opentelemetry::trace::TraceId;
use opentelemetry_sdk::trace::SpanData;

/// Traces that wait for their end, the oldest losing their place: as many as the ledger has model
/// calls under way.
pub(super) const MAX_OPEN: usize = 4_096;

/// Traces of which the decision is remembered, for the spans of work that outlives its request.
/// Of a thousand requests a second these are those of half a minute, at about 80 bytes each.
pub(super) const MAX_DECIDED: usize = 32_768;

/// Spans that are held, of all traces: at one or two kilobytes each, about ten megabytes.
pub(super) const MAX_SPANS: usize = 8_192;

#[derive(Debug, Default)]
pub(super) struct Held {
    traces: HashMap<TraceId, Trace>,
    /// By the number of their opening, so from the oldest on.
    open: BTreeMap<u64, TraceId>,
    /// By the number of their decision: they take no place of those that are open.
    decided: BTreeMap<u64, TraceId>,
    next: u64,
    spans: usize,
}

#[derive(Debug)]
pub(super) enum Trace {
    Open(Open),
    Decided { number: u64, kept: bool },
}

#[derive(Debug, Default)]
pub(super) struct Open {
    number: u64,
    spans: Vec<SpanData>,
    /// Whether something failed in one of them.
    pub(super) faulty: bool,
    /// What has to end before it is decided: one caller may send several requests of one trace.
    pub(super) under_way: usize,
}

impl Held {
    pub(super) fn get(&mut self, trace_id: TraceId) -> Option<&mut Trace> {
        self.traces.get_mut(&trace_id)
    }

    /// Opens a trace, also one that was decided against; how many spans lost their place.
    pub(super) fn open(&mut self, trace_id: TraceId) -> usize {
        match self.traces.get_mut(&trace_id) {
            Some(Trace::Open(open)) => {
                open.under_way += 1;
                return 0;
            }
            Some(Trace::Decided { kept: true, .. }) => return 0,
            Some(Trace::Decided { number, .. }) => {
                self.decided.remove(number);
            }
            None => {}
        }
        let number = self.take_number();
        let open = Open {
            number,
            under_way: 1,
            ..Open::default()
        };
        self.traces.insert(trace_id, Trace::Open(open));
        self.open.insert(number, trace_id);
        self.make_room()
    }

    /// Adds a span to its open trace; how many spans lost their place.
    pub(super) fn push(&mut self, span: SpanData, faulty: bool) -> usize {
        let trace_id = span.span_context.trace_id();
        if let Some(Trace::Open(open)) = self.traces.get_mut(&trace_id) {
            open.faulty |= faulty;
            open.spans.push(span);
            self.spans += 1;
        }
        self.make_room()
    }

    /// Decides about a trace; its spans.
    pub(super) fn decide(&mut self, trace_id: TraceId, kept: bool) -> Vec<SpanData> {
        let number = self.take_number();
        let decided = Trace::Decided { number, kept };
        let spans = match self.traces.insert(trace_id, decided) {
            Some(Trace::Open(open)) => {
                self.open.remove(&open.number);
                self.spans -= open.spans.len();
                open.spans
            }
            Some(Trace::Decided { number, .. }) => {
                self.decided.remove(&number);
                Vec::new()
            }
            None => Vec::new(),
        };
        self.decided.insert(number, trace_id);
        if self.decided.len() > MAX_DECIDED
            && let Some((_, oldest)) = self.decided.pop_first()
        {
            self.traces.remove(&oldest);
        }
        spans
    }

    fn take_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Drops the oldest open traces until the bounds hold; how many spans they had.
    fn make_room(&mut self) -> usize {
        let before = self.spans;
        while self.spans > MAX_SPANS || self.open.len() > MAX_OPEN {
            let Some((_, oldest)) = self.open.pop_first() else {
                break;
            };
            if let Some(Trace::Open(open)) = self.traces.remove(&oldest) {
                self.spans -= open.spans.len();
            }
        }
        before - self.spans
    }

    /// Traces that are open, those that are decided, spans.
    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        assert_eq!(self.traces.len(), self.open.len() + self.decided.len());
        (self.open.len(), self.decided.len(), self.spans)
    }
}
