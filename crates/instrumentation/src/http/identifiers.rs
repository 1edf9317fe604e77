//! The names of a request: taken over from its caller, from its span, or made here.

use http::{HeaderMap, HeaderName};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::answer::X_REQUEST_ID;
use crate::{propagation::Parent, request::RequestIdentity};

const X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// Longest request id that is taken over from a caller.
const MAX_REQUEST_ID_BYTES: usize = 128;

pub(super) fn request_id(headers: &HeaderMap) -> String {
    let given = [X_CORRELATION_ID, X_REQUEST_ID].iter().find_map(|name| {
        let text = headers.get(name)?.to_str().ok()?;
        (!text.is_empty() && text.len() <= MAX_REQUEST_ID_BYTES).then_some(text)
    });
    given.map_or_else(|| hex(fastrand::u128(..).to_be_bytes()), str::to_owned)
}

pub(super) fn trace_id(span: &Span, parent: Option<&Parent>) -> String {
    span_context(span)
        .map(|ids| ids.trace_id().to_string())
        .or_else(|| parent.map(Parent::trace_id))
        .unwrap_or_else(|| hex(fastrand::u128(1..).to_be_bytes()))
}

/// `traceresponse` of the Trace Context Level 2 draft: the id under which the trace is found.
pub(super) fn trace_response(span: &Span, identity: &RequestIdentity) -> String {
    let (span_id, sampled) = match span_context(span) {
        Some(ids) => (ids.span_id().to_string(), "-01"),
        None => (hex(fastrand::u64(1..).to_be_bytes()), "-00"),
    };
    ["00-", &identity.trace_id, "-", &span_id, sampled].concat()
}

fn span_context(span: &Span) -> Option<SpanContext> {
    if span.is_none() {
        return None;
    }
    let ids = span.context().span().span_context().clone();
    ids.is_valid().then_some(ids)
}

fn hex<const BYTES: usize>(bytes: [u8; BYTES]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * BYTES);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn bytes_become_digits() {
        assert_eq!(hex([0x00, 0x0f, 0xa9, 0xff]), "000fa9ff");
    }

    #[test]
    fn a_callers_id_is_taken_over_unless_it_is_too_long() {
        let headers = |value: &str| {
            let value = HeaderValue::from_str(value).unwrap();
            HeaderMap::from_iter([(X_CORRELATION_ID, value)])
        };
        assert_eq!(request_id(&headers("order-7")), "order-7");
        assert_eq!(request_id(&headers(&"x".repeat(129))).len(), 32);
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }

    #[test]
    fn an_unsampled_reply_names_its_trace() {
        let identity = RequestIdentity {
            request_id: String::new(),
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
            sampled: false,
            test_id: None,
            test_scenario: None,
        };
        let text = trace_response(&Span::none(), &identity);
        assert!(
            text.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
            "{text}"
        );
        assert!(text.ends_with("-00") && text.len() == 55, "{text}");
    }
}
