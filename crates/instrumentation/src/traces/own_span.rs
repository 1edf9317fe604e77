//! The span of a request itself, told when it is over: nothing of it is needed before but its ids.

use std::time::{Duration, SystemTime};

use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId,
    trace::{Link, SpanContext, SpanKind, Status},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

/// What is known of the request.
pub(crate) struct OwnSpan {
    pub(crate) ids: SpanContext,
    /// The caller's span.
    pub(crate) parent: Option<SpanId>,
    pub(crate) name: &'static str,
    pub(crate) elapsed: Duration,
    pub(crate) failed: bool,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) events: SpanEvents,
    /// What another request had begun, and answered this one too.
    pub(crate) answered_by: Option<SpanContext>,
}

impl OwnSpan {
    /// The span, which ends now.
    pub(super) fn ended(self, library: InstrumentationScope) -> SpanData {
        let end = SystemTime::now();
        let status = match self.failed {
            true => Status::error(""),
            false => Status::Unset,
        };
        let mut links = SpanLinks::default();
        links.links.extend(self.answered_by.map(Link::with_context));
        SpanData {
            span_context: self.ids,
            parent_span_id: self.parent.unwrap_or(SpanId::INVALID),
            parent_span_is_remote: self.parent.is_some(),
            span_kind: SpanKind::Server,
            name: self.name.into(),
            start_time: end.checked_sub(self.elapsed).unwrap_or(end),
            end_time: end,
            attributes: self.attributes,
            dropped_attributes_count: 0,
            events: self.events,
            links,
            status,
            instrumentation_scope: library,
        }
    }
}
