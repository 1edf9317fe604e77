//! Marks the spans of a trace as its root was marked by its head.

use opentelemetry::{
    Context, KeyValue, Value,
    trace::{Link, SpanKind, TraceContextExt, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

/// The root's attribute that tells whether its head asked for the trace.
pub(crate) const SAMPLED_AT_HEAD: &str = "bookstore.trace.sampled_at_head";

/// Every span that is opened is recorded (the HTTP layer opens none in vain). One whose flag says
/// `not sampled` waits for its root's end, and passes the same flag on to whom it calls.
#[derive(Debug, Clone)]
pub(super) struct AsTheRootWas;

impl ShouldSample for AsTheRootWas {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        attributes: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|context| context.span().span_context().clone());
        let own_parent = parent.filter(|parent| parent.is_valid() && !parent.is_remote());
        let sampled = match own_parent {
            Some(parent) => parent.is_sampled(),
            None => !attributes.iter().any(|attribute| {
                attribute.key.as_str() == SAMPLED_AT_HEAD && attribute.value == Value::Bool(false)
            }),
        };
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
    use opentelemetry::{
        SpanId, TraceFlags,
        trace::{SpanContext, TraceContextExt},
    };

    use super::*;

    fn decision(parent: Option<(TraceFlags, bool)>, head: Option<bool>) -> SamplingDecision {
        let parent = parent.map(|(flags, remote)| {
            let (trace, span) = (TraceId::from(1), SpanId::from(2));
            let ids = SpanContext::new(trace, span, flags, remote, TraceState::NONE);
            Context::new().with_remote_span_context(ids)
        });
        let head = head.map(|sampled| KeyValue::new(SAMPLED_AT_HEAD, sampled));
        let (attributes, kind) = (Vec::from_iter(head), SpanKind::Server);
        let trace = TraceId::from(1);
        AsTheRootWas
            .should_sample(parent.as_ref(), trace, "", &kind, &attributes, &[])
            .decision
    }

    #[test]
    fn a_root_is_marked_as_its_head_says_and_its_spans_follow() {
        use SamplingDecision::{RecordAndSample, RecordOnly};
        let (on, off) = (TraceFlags::SAMPLED, TraceFlags::default());
        assert_eq!(decision(None, Some(true)), RecordAndSample);
        assert_eq!(decision(None, Some(false)), RecordOnly);
        // What another process wrote into its header has been looked at by the HTTP layer.
        assert_eq!(decision(Some((off, true)), Some(true)), RecordAndSample);
        assert_eq!(decision(Some((on, true)), Some(false)), RecordOnly);
        assert_eq!(decision(Some((on, false)), None), RecordAndSample);
        assert_eq!(decision(Some((off, false)), None), RecordOnly);
    }
}
