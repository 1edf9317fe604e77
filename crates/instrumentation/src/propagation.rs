//! W3C `traceparent` and `baggage`, in and out.
//!
//! Source: <https://www.w3.org/TR/trace-context/> and <https://www.w3.org/TR/baggage/>.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{request, span::current_ids};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// Longest baggage that is looked at: the size that the standard asks everybody to pass on.
const MAX_BAGGAGE_BYTES: usize = 8_192;

/// Longest test id or scenario that is taken from baggage.
const MAX_VALUE_BYTES: usize = 64;

/// What a caller said about its trace.
#[derive(Debug, Clone)]
pub struct Parent(SpanContext);

impl Parent {
    /// Reads the value of a `traceparent`; a malformed one is no parent.
    #[must_use]
    pub fn parse(traceparent: &HeaderValue) -> Option<Self> {
        Self::parse_text(traceparent.to_str().ok()?)
    }

    fn parse_text(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let well_formed = version.len() == 2
            && version != "ff"
            && trace.len() == 32
            && span.len() == 16
            && flags.len() == 2
            && [version, trace, span, flags].into_iter().all(is_lower_hex)
            && (version != "00" || parts.next().is_none());
        if !well_formed {
            return None;
        }
        let context = SpanContext::new(
            TraceId::from_hex(trace).ok()?,
            SpanId::from_hex(span).ok()?,
            TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
            true,
            TraceState::NONE,
        );
        context.is_valid().then_some(Self(context))
    }

    /// Whether the caller records the trace.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.0.is_sampled()
    }

    /// The caller's trace id.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.0.trace_id()
    }

    /// The id of the caller's span.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        self.0.span_id()
    }
}

/// The only digits that the standard allows; parsers of numbers take signs and capitals as well.
fn is_lower_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The value of one baggage member, if it is short and plain.
#[must_use]
pub fn baggage_member(baggage: &HeaderValue, name: &str) -> Option<String> {
    if baggage.len() > MAX_BAGGAGE_BYTES {
        return None;
    }
    let value = baggage.to_str().ok()?.split(',').find_map(|member| {
        let (key, value) = member.split(';').next()?.split_once('=')?;
        (key.trim() == name).then(|| value.trim())
    })?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (!value.is_empty() && value.len() <= MAX_VALUE_BYTES && value.bytes().all(plain))
        .then(|| value.to_owned())
}

/// Writes the current span as `traceparent`, and the load test as `baggage`, for a call outwards.
pub fn inject(headers: &mut HeaderMap) {
    let traceparent = text_of(&current_ids());
    if let Some(text) = &traceparent {
        insert(headers, TRACEPARENT, text);
    }
    let Some(identity) = request::current() else {
        return;
    };
    if traceparent.is_none() {
        // Else whoever is called begins a trace of its own, which nothing leads to.
        let (trace_id, span_id) = (identity.trace_id.as_str(), fastrand::u64(1..));
        let text = format!("00-{trace_id}-{span_id:016x}-00");
        insert(headers, TRACEPARENT, &text);
    }
    if let Some(test_id) = &identity.test_id {
        let scenario = identity.test_scenario.as_deref();
        insert(headers, BAGGAGE, &baggage_of_test(test_id, scenario));
    }
}

/// The `traceparent` that makes what is called a part of a span; `None` where no trace is recorded.
#[must_use]
pub fn traceparent_of(span: &Span) -> Option<String> {
    text_of(span.context().span().span_context())
}

fn text_of(span: &SpanContext) -> Option<String> {
    span.is_valid().then(|| {
        let flags = u8::from(span.is_sampled());
        format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id())
    })
}

/// Makes a span that was just opened a part of the trace that a `traceparent` names; one that is
/// malformed changes nothing.
pub fn join(span: &Span, traceparent: &str) {
    if let Some(parent) = Parent::parse_text(traceparent)
        && span
            .set_parent(Context::new().with_remote_span_context(parent.0))
            .is_err()
    {
        tracing::debug!("the trace could not be joined");
    }
}

/// The `baggage` of a load test.
#[must_use]
pub fn baggage_of_test(id: &str, scenario: Option<&str>) -> String {
    let scenario = scenario
        .map(|name| format!(",test.scenario={name}"))
        .unwrap_or_default();
    format!("test.id={id}{scenario}")
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_read() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = Parent::parse(&HeaderValue::from_static(text)).unwrap();
        assert!(parent.is_sampled());
        assert_eq!(
            parent.trace_id().to_string(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
    }

    #[test]
    fn malformed_parents_are_none() {
        for text in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
            "+0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            let Ok(value) = HeaderValue::from_str(text) else {
                continue;
            };
            assert!(Parent::parse(&value).is_none(), "{text}");
        }
    }

    #[test]
    fn baggage_is_bounded_and_plain() {
        let found = |text: &str| {
            let baggage = HeaderValue::from_str(text).unwrap();
            baggage_member(&baggage, "test.id")
        };
        assert_eq!(
            found("a=1, test.id=run-7;p=1,b=2").as_deref(),
            Some("run-7")
        );
        assert_eq!(found("test.id=a b"), None);
        assert_eq!(found(&format!("test.id={}", "x".repeat(65))), None);
        assert_eq!(
            found(&format!("pad={},test.id=run-7", "x".repeat(100_000))),
            None
        );
    }
}
