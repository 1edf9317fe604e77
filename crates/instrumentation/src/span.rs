//! Spans below a request, and what happens in them.

use opentelemetry::{
    Array, Context, KeyValue, StringValue, Value,
    trace::{SpanContext, TraceContextExt},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::request;

/// Adds an event to the current span; does nothing outside one. Of one span's events the first
/// ones are kept, see [`crate::traces`].
pub fn span_event(name: &'static str, attributes: &[(&'static str, &str)]) {
    let owned = || {
        let pairs = attributes.iter();
        let pairs = pairs.map(|(key, value)| KeyValue::new(*key, (*value).to_owned()));
        pairs.collect()
    };
    let span = Span::current();
    if !span.is_none() {
        span.add_event(name, owned());
        return;
    }
    request::with_current(|identity| {
        if identity.span.is_some() {
            identity.noted.event(name, owned());
        }
    });
}

/// Adds an event to the span of the current request or of the call that it makes, where spans of the
/// calling crate are wanted; see [`client_span!`].
#[macro_export]
macro_rules! source_event {
    ($name:literal, $attributes:expr) => {
        if $crate::wants_client_span(module_path!()) {
            $crate::span_event($name, $attributes);
        }
    };
}

/// The ids of the current span: the innermost one, else the request's own; invalid where none is
/// recorded.
pub(crate) fn current_ids() -> SpanContext {
    let span = Span::current();
    if !span.is_none() {
        return span.context().span().span_context().clone();
    }
    let mut ids = None;
    request::with_current(|identity| ids.clone_from(&identity.span));
    ids.unwrap_or(SpanContext::NONE)
}

/// A new span, below that of the current request unless it is below another one already: a
/// request's own is told when it is over, so that `tracing` knows nothing of it.
#[doc(hidden)]
#[must_use]
pub fn below_request(span: Span) -> Span {
    if Span::current().is_none() {
        let ids = current_ids();
        if ids.is_valid()
            && span
                .set_parent(Context::new().with_remote_span_context(ids))
                .is_err()
        {
            tracing::debug!("a span could not be put below its request");
        }
    }
    span
}

/// Notes an attribute that is a list of texts, for which `tracing` has no field.
pub fn record_texts(span: &Span, name: &'static str, texts: &[&str]) {
    if span.is_none() {
        return;
    }
    let texts = texts
        .iter()
        .map(|text| StringValue::from((*text).to_owned()));
    let texts = Array::String(texts.collect());
    span.set_attribute(name, Value::Array(texts));
}

/// A span of kind CLIENT below the current one, or [`tracing::Span::none`] when the current
/// request's trace is not sampled, or [`crate::Switches`] turn the calling crate's spans off.
///
/// The first argument is a literal name; give `otel.name` for one that is known at run time. Fields
/// that are recorded later are declared as `tracing::field::Empty`.
#[macro_export]
macro_rules! client_span {
    ($name:literal $(, $($fields:tt)*)?) => {
        if $crate::wants_client_span(module_path!()) {
            $crate::below_request(
                $crate::__tracing::info_span!($name, otel.kind = "client" $(, $($fields)*)?)
            )
        } else {
            $crate::__tracing::Span::none()
        }
    };
}
