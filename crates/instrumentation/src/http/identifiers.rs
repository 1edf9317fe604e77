//! The ids of a trace: from its span, from its caller, or made here.

use http::HeaderValue;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    propagation::Parent,
    request::{RequestIdentity, TraceIdText, hex},
};

pub(super) fn trace_id(span: &Span, parent: Option<&Parent>) -> TraceIdText {
    let known = span_context(span)
        .map(|ids| ids.trace_id())
        .or_else(|| parent.map(Parent::trace_id));
    TraceIdText::new(known.map_or_else(
        || fastrand::u128(1..),
        |id| u128::from_be_bytes(id.to_bytes()),
    ))
}

/// `traceresponse` of the Trace Context Level 2 draft: the id under which the trace is found.
pub(super) fn trace_response(span: &Span, identity: &RequestIdentity) -> Option<HeaderValue> {
    let (span_id, sampled) = match span_context(span) {
        Some(ids) => (u64::from_be_bytes(ids.span_id().to_bytes()), b"-01"),
        None => (fastrand::u64(1..), b"-00"),
    };
    let mut text = *b"00-TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT-SSSSSSSSSSSSSSSS-00";
    text[3..35].copy_from_slice(identity.trace_id.as_str().as_bytes());
    text[36..52].copy_from_slice(&hex::<16>(u128::from(span_id)));
    text[52..].copy_from_slice(sampled);
    HeaderValue::from_bytes(&text).ok()
}

fn span_context(span: &Span) -> Option<SpanContext> {
    if span.is_none() {
        return None;
    }
    let ids = span.context().span().span_context().clone();
    ids.is_valid().then_some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsampled_reply_names_its_trace() {
        let trace_id = TraceIdText::new(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        let identity = RequestIdentity {
            given_id: None,
            trace_id,
            test_id: None,
            test_scenario: None,
        };
        let value = trace_response(&Span::none(), &identity).unwrap();
        let text = value.to_str().unwrap();
        assert!(
            text.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
            "{text}"
        );
        assert!(text.ends_with("-00") && text.len() == 55, "{text}");
    }
}
