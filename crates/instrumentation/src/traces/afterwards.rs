//! A request that opened no span while it was under way, told by one when it is over.

use std::time::{Duration, SystemTime};

use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags,
    trace::{SpanContext, SpanKind, Status, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::propagation::Parent;

/// What is known of the request.
pub(crate) struct Afterwards {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// The caller's span.
    pub(crate) parent: Option<Parent>,
    pub(crate) name: String,
    pub(crate) elapsed: Duration,
    pub(crate) failed: bool,
    pub(crate) attributes: Vec<KeyValue>,
}

impl Afterwards {
    /// The request's span, which ends now.
    pub(super) fn span(self, library: InstrumentationScope) -> SpanData {
        let end = SystemTime::now();
        let flags = TraceFlags::SAMPLED;
        let status = match self.failed {
            true => Status::error(""),
            false => Status::Unset,
        };
        SpanData {
            span_context: SpanContext::new(
                self.trace_id,
                self.span_id,
                flags,
                false,
                TraceState::NONE,
            ),
            parent_span_id: self
                .parent
                .as_ref()
                .map_or(SpanId::INVALID, Parent::span_id),
            parent_span_is_remote: self.parent.is_some(),
            span_kind: SpanKind::Server,
            name: self.name.into(),
            start_time: end.checked_sub(self.elapsed).unwrap_or(end),
            end_time: end,
            attributes: self.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status,
            instrumentation_scope: library,
        }
    }
}
