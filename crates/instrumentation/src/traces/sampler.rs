//! Marks the spans of a trace as its root was marked by its head.

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

/// Every span that is opened is recorded (none is opened in vain). One whose flag says `not sampled`
/// waits for its root's end, and passes the same flag on to whom it calls.
#[derive(Debug, Clone)]
pub(super) struct AsTheRootWas;

impl ShouldSample for AsTheRootWas {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|context| context.span().span_context().clone());
        let parent = parent.filter(SpanContext::is_valid);
        let sampled = parent.is_none_or(|parent| parent.is_sampled());
        SamplingResult {
            decision: match sampled {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::RecordOnly,
            },
            attributes: Vec::new(),
            trace_state: TraceState::NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::{SpanId, TraceFlags};

    use super::*;

    fn decision(parent: Option<TraceFlags>) -> SamplingDecision {
        let parent = parent.map(|flags| {
            let (trace, span) = (TraceId::from(1), SpanId::from(2));
            let ids = SpanContext::new(trace, span, flags, false, TraceState::NONE);
            Context::new().with_remote_span_context(ids)
        });
        let (trace, kind) = (TraceId::from(1), SpanKind::Client);
        AsTheRootWas
            .should_sample(parent.as_ref(), trace, "", &kind, &[], &[])
            .decision
    }

    #[test]
    fn spans_are_marked_as_their_root_is() {
        use SamplingDecision::{RecordAndSample, RecordOnly};
        assert_eq!(decision(Some(TraceFlags::SAMPLED)), RecordAndSample);
        assert_eq!(decision(Some(TraceFlags::default())), RecordOnly);
        assert_eq!(decision(None), RecordAndSample);
    }
}
